#pragma once

#include <libpq-fe.h>
#include <sched.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "arguments.hpp"

namespace compare {

inline void append_int16(std::vector<char> &bytes, std::size_t value)
{
	bytes.push_back(static_cast<char>(value >> 8));
	bytes.push_back(static_cast<char>(value));
}

inline void append_int32(std::vector<char> &bytes, std::uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		bytes.push_back(static_cast<char>(value >> shift));
}

/// The binary form of the type vector, which both extensions read: dimensions, two bytes unused, the numbers, all big-endian.
inline void append_vector(std::vector<char> &bytes, const float *vector, std::size_t dimensions)
{
	append_int16(bytes, dimensions);
	append_int16(bytes, 0);
	for (std::size_t i = 0; i < dimensions; ++i)
		append_int32(bytes, std::bit_cast<std::uint32_t>(vector[i]));
}

/// A connection; whatever goes wrong ends the program.
class Connection {
public:
	explicit Connection(const std::string &where) : connection_(PQconnectdb(where.c_str()))
	{
		if (PQstatus(connection_) != CONNECTION_OK)
			fail();
	}
	Connection(const Connection &) = delete;
	Connection &operator=(const Connection &) = delete;
	~Connection() { PQfinish(connection_); }

	void execute(const std::string &sql) { PQclear(check(PQexec(connection_, sql.c_str()))); }
	void prepare(const char *name, const std::string &sql)
	{
		PQclear(check(PQprepare(connection_, name, sql.c_str(), 0, nullptr)));
	}

	/// Runs a prepared statement with binary parameters and result. The caller clears the result.
	PGresult *run(const char *name, const std::vector<std::vector<char>> &parameters)
	{
		const char *values[4];
		int lengths[4], formats[4];
		for (std::size_t i = 0; i < parameters.size(); ++i) {
			values[i] = parameters[i].data();
			lengths[i] = static_cast<int>(parameters[i].size());
			formats[i] = 1;
		}
		return check(
			PQexecPrepared(connection_, name, static_cast<int>(parameters.size()), values, lengths, formats, 1));
	}

	PGconn *handle() { return connection_; }

	/// Puts this process and the server's behind the connection onto one core: they take turns, and where the kernel happens
	/// to place them, or to wake an idle core, would cost more than some of the queries.
	void share_core()
	{
		cpu_set_t allowed, one;
		CPU_ZERO(&one);
		if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
			die("sched_getaffinity failed");
		int core = CPU_SETSIZE - 1;
		while (!CPU_ISSET(core, &allowed))
			--core;
		CPU_SET(core, &one);
		if (sched_setaffinity(0, sizeof(one), &one) != 0 || sched_setaffinity(PQbackendPID(connection_), sizeof(one), &one) != 0)
			die("sched_setaffinity failed: this takes the rights of the server's user");
	}

	PGresult *check(PGresult *result)
	{
		switch (PQresultStatus(result)) {
			case PGRES_COMMAND_OK:
			case PGRES_TUPLES_OK:
			case PGRES_COPY_IN: return result;
			default: fail();
		}
	}
	[[noreturn]] void fail() { die(PQerrorMessage(connection_)); }

private:
	PGconn *connection_;
};

}  // namespace compare
