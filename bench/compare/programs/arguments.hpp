#pragma once

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace compare {

[[noreturn]] inline void die(std::string_view message)
{
	std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
	std::exit(1);
}

/// The words NAME=VALUE of a command line. A name that is asked for without a default has to be there.
class Arguments {
public:
	Arguments(int argc, char **argv)
	{
		for (int i = 1; i < argc; ++i) {
			std::string_view word = argv[i];
			std::size_t equals = word.find('=');
			if (equals == std::string_view::npos)
				die("arguments are NAME=VALUE, not " + std::string(word));
			given_[std::string(word.substr(0, equals))] = word.substr(equals + 1);
		}
	}

	std::string text(const std::string &name) const
	{
		auto found = given_.find(name);
		if (found == given_.end())
			die("argument missing: " + name);
		return found->second;
	}
	std::string text(const std::string &name, const std::string &otherwise) const
	{
		return given_.count(name) ? text(name) : otherwise;
	}

	long number(const std::string &name) const { return to_number(text(name)); }
	long number(const std::string &name, long otherwise) const { return given_.count(name) ? number(name) : otherwise; }
	double real(const std::string &name, double otherwise) const
	{
		return given_.count(name) ? std::strtod(text(name).c_str(), nullptr) : otherwise;
	}

	/// A list with commas between.
	std::vector<long> numbers(const std::string &name) const
	{
		std::vector<long> list;
		std::string rest = text(name) + ",";
		for (std::size_t at; (at = rest.find(',')) != std::string::npos; rest.erase(0, at + 1))
			list.push_back(to_number(rest.substr(0, at)));
		return list;
	}

private:
	static long to_number(const std::string &word)
	{
		long value = 0;
		auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
		if (error != std::errc() || end != word.data() + word.size())
			die("not a number: " + word);
		return value;
	}

	std::map<std::string, std::string> given_;
};

}  // namespace compare
