# vectorizer: build, install, quickstart, tests. `make help` lists what a person types.

EXTENSION = vectorizer
EXTVERSION = 0.1
MODULE_big = vectorizer
DATA_built = $(EXTENSION)--$(EXTVERSION).sql

# The newest server that has its development files, unless PG_CONFIG says otherwise.
PG_HEADERS := $(lastword $(sort $(wildcard /usr/include/postgresql/*/server/postgres.h)))
PG_CONFIG ?= $(or $(PG_HEADERS:/usr/include/postgresql/%/server/postgres.h=/usr/lib/postgresql/%/bin/pg_config),pg_config)
PGXS := $(if $(wildcard $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)/postgres.h),$(shell $(PG_CONFIG) --pgxs))

# One SQL part a concept; the order is that of their dependencies.
SQL_PARTS = \
	sql/vector.sql.in \
	sql/hnsw.sql.in \
	sql/roles.sql.in \
	sql/index.sql.in \
	sql/estimate.sql.in \
	sql/catalog.sql.in \
	sql/lsa.sql.in \
	sql/endpoints.sql.in \
	sql/models.sql.in \
	sql/collection.sql.in \
	sql/grants.sql.in \
	sql/dynamic.sql.in \
	sql/organize.sql.in \
	sql/alter.sql.in \
	sql/configuration.sql.in \
	sql/workspace.sql.in \
	sql/search.sql.in \
	sql/monitor.sql.in \
	sql/find.sql.in

CORE_SOURCES := $(sort $(wildcard src/core/*.cpp src/core/*/*.cpp))
PG_SOURCES := $(sort $(wildcard src/pg/*.cpp src/pg/*/*.cpp))
UNIT_SOURCES := $(sort $(wildcard test/unit/*.cpp test/unit/*/*.cpp))
CORE_OBJS := $(CORE_SOURCES:%.cpp=build/%.o)
PG_OBJS := $(PG_SOURCES:%.cpp=build/%.o)
UNIT_OBJS := $(UNIT_SOURCES:%.cpp=build/%.o)
OBJS = $(CORE_OBJS) $(PG_OBJS)

EXTRA_CLEAN = build

.DEFAULT_GOAL := all

# What a person types. These run without the server's makefiles, whose own `check` target would stand in the way.
ifneq ($(filter help quickstart check dsn stop,$(MAKECMDGOALS)),)

.PHONY: help quickstart check dsn stop

help:
	@echo 'make quickstart  install what is missing, build, start a private cluster, index the PostgreSQL manual, search it'
	@echo 'make check       install what is missing, then run every test'
	@echo 'make -s dsn      the connection string of the quickstart cluster: psql "$$(make -s dsn)"'
	@echo 'make stop        stop the quickstart cluster'
	@echo 'make             build the extension for $(PG_CONFIG)'
	@echo 'make install     install it into that server'

quickstart:
	@scripts/quickstart.sh

check:
	@scripts/check.sh

dsn:
	@scripts/cluster.sh dsn

stop:
	@scripts/cluster.sh stop

else ifneq ($(PGXS),)

override with_llvm := no
CORE_LIBS = $(shell xml2-config --libs 2>/dev/null) -lmd4c -licui18n -licuuc -lyaml-cpp -lcurl
SHLIB_LINK = -lstdc++ $(CORE_LIBS)
include $(PGXS)

# Our own flags, not the ones the server was built with: those name options that only one compiler knows.
WARNINGS = -Wall -Wextra -Wshadow -Werror
VX_CXXFLAGS = -std=c++20 -O2 -g -fPIC -fno-strict-aliasing -fwrapv -fno-math-errno \
	-fvisibility=hidden -fvisibility-inlines-hidden $(WARNINGS) -MMD -MP $(EXTRA_CXXFLAGS)
# core sees no server header: it is compiled without their folder in its path.
CORE_CPPFLAGS = -Isrc -isystem /usr/include/eigen3 $(shell xml2-config --cflags 2>/dev/null | sed 's/-I/-isystem /g')
SERVER_CPPFLAGS = -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server) -D_GNU_SOURCE \
	$(if $(filter 15,$(MAJORVERSION)),-DPGDLLEXPORT='__attribute__((visibility("default")))')

# One kernel source, compiled once for each instruction set (src/core/simd/README.md).
build/src/core/simd/kernels_avx2.o: ISA_FLAGS = $(if $(filter x86_64,$(host_cpu)),-mavx2 -mfma -mf16c)
build/src/core/simd/kernels_avx512.o: ISA_FLAGS = $(if $(filter x86_64,$(host_cpu)),-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mavx2 -mfma -mf16c)

build/src/core/%.o: src/core/%.cpp Makefile
	@mkdir -p $(@D)
	$(CXX) $(VX_CXXFLAGS) $(ISA_FLAGS) $(CORE_CPPFLAGS) -c -o $@ $<

build/src/pg/%.o: src/pg/%.cpp Makefile
	@mkdir -p $(@D)
	$(CXX) $(VX_CXXFLAGS) $(SERVER_CPPFLAGS) -c -o $@ $<

# Objects made for one version of the server are of no use to another: build/server changes with the version.
$(shell mkdir -p build && { [ "$$(cat build/server 2>/dev/null)" = '$(VERSION)' ] || echo '$(VERSION)' > build/server; })
$(PG_OBJS): build/server

# The library with places that a test can stop it at (src/pg/crash_point.hpp): only what has such places is compiled anew.
CRASH_SOURCES := $(shell grep -l '"pg/crash_point.hpp"' $(PG_SOURCES))
CRASH_OBJS := $(CRASH_SOURCES:%.cpp=build/crash/%.o)
$(CRASH_OBJS): build/server

build/crash/src/pg/%.o: src/pg/%.cpp Makefile
	@mkdir -p $(@D)
	$(CXX) $(VX_CXXFLAGS) -DVECTORIZER_CRASH_POINTS $(SERVER_CPPFLAGS) -c -o $@ $<

build/crash/$(MODULE_big).so: $(CRASH_OBJS) $(filter-out $(CRASH_SOURCES:%.cpp=build/%.o),$(OBJS))
	$(CXX) -shared -o $@ $^ $(SHLIB_LINK)

build/test/%.o: test/%.cpp Makefile
	@mkdir -p $(@D)
	$(CXX) $(VX_CXXFLAGS) $(CORE_CPPFLAGS) -c -o $@ $<

build/unit_tests: $(CORE_OBJS) $(UNIT_OBJS)
	$(CXX) -o $@ $^ -lgtest -lgtest_main -lpthread $(CORE_LIBS)

build/bench/%.o: bench/%.cpp Makefile
	@mkdir -p $(@D)
	$(CXX) $(VX_CXXFLAGS) $(CORE_CPPFLAGS) -c -o $@ $<

build/bench_quantizers: build/bench/core/quantizers.o $(CORE_OBJS)
	$(CXX) -o $@ $^ -lpthread $(CORE_LIBS)

build/bench_core: build/bench/core/codes.o $(CORE_OBJS)
	$(CXX) -o $@ $^ -lbenchmark -lpthread $(CORE_LIBS)

build/bench_graph: build/bench/core/graph.o $(CORE_OBJS)
	$(CXX) -o $@ $^ $(CORE_LIBS)

$(EXTENSION)--$(EXTVERSION).sql: $(SQL_PARTS) Makefile
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION vectorizer" to load this file. \quit'; cat $(SQL_PARTS); } > $@

-include $(OBJS:.o=.d) $(CRASH_OBJS:.o=.d) $(UNIT_OBJS:.o=.d) $(wildcard build/bench/core/*.d)

else
all install: ; $(error no PostgreSQL server development files found: run "make quickstart" or "make check", which install them, or set PG_CONFIG)
endif
