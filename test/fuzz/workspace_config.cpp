// Fuzzes core/config: any bytes are read or refused with findings; a plan that is read means the same in every form that it is
// written in.
// How to run it: README.md.
#include "core/config/plan_json.hpp"
#include "core/config/workspace.hpp"
#include "core/config/write.hpp"
#include "require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	using namespace vectorizer::config;
	const std::string_view yaml(reinterpret_cast<const char *>(data), size);
	const Parsed parsed = parse_workspace(yaml, "/base");
	REQUIRE(parsed.ok() || !parsed.findings.empty());
	int line = 1;
	for (const Finding &finding : parsed.findings) {
		REQUIRE(finding.line >= line && !finding.message.empty());
		line = finding.line;
	}
	if (!parsed.ok())
		return 0;
	// migrate() compares by itself.
	REQUIRE(migrate(migrate(yaml, "/base"), "/base") == migrate(yaml, "/base"));
	REQUIRE(parse_workspace(write_verbose(parsed.plan, "/base"), "/base").plan == parsed.plan);
	REQUIRE(from_json(to_json(parsed.plan)) == parsed.plan);
	return 0;
}
