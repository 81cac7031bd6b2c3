#include "core/text/file_kinds.hpp"

#include <algorithm>
#include <string>

namespace vectorizer::txt {

namespace {

constexpr FileKind kKinds[] = {
	{"ada adb ads", "", "ada", Category::kCode},
	{"asm s", "", "assembly", Category::kCode},
	{"bash sh zsh", "", "shell", Category::kCode},
	{"c h", "", "c", Category::kCode},
	{"cc cpp cxx hh hpp hxx inl ipp", "", "c++", Category::kCode},
	{"clj cljs", "", "clojure", Category::kCode},
	{"cs", "", "c#", Category::kCode},
	{"css less scss", "", "css", Category::kCode},
	{"cu cuh", "", "cuda", Category::kCode},
	{"d", "", "d", Category::kCode},
	{"dart", "", "dart", Category::kCode},
	{"el lisp scm", "", "lisp", Category::kCode},
	{"erl hrl", "", "erlang", Category::kCode},
	{"ex exs", "", "elixir", Category::kCode},
	{"f f90 f95 for", "", "fortran", Category::kCode},
	{"go", "", "go", Category::kCode},
	{"groovy gradle", "jenkinsfile", "groovy", Category::kCode},
	{"hs", "", "haskell", Category::kCode},
	{"java", "", "java", Category::kCode},
	{"jl", "", "julia", Category::kCode},
	{"js cjs mjs jsx", "", "javascript", Category::kCode},
	{"kt kts", "", "kotlin", Category::kCode},
	{"lua", "", "lua", Category::kCode},
	{"m mm", "", "objective-c", Category::kCode},
	{"ml mli", "", "ocaml", Category::kCode},
	{"nim", "", "nim", Category::kCode},
	{"pas", "", "pascal", Category::kCode},
	{"php", "", "php", Category::kCode},
	{"pl pm t", "", "perl", Category::kCode},
	{"proto", "", "protobuf", Category::kCode},
	{"ps1", "", "powershell", Category::kCode},
	{"py pyi", "", "python", Category::kCode},
	{"r", "", "r", Category::kCode},
	{"rb", "gemfile rakefile", "ruby", Category::kCode},
	{"rs", "", "rust", Category::kCode},
	{"scala", "", "scala", Category::kCode},
	{"sql", "", "sql", Category::kCode},
	{"swift", "", "swift", Category::kCode},
	{"ts mts cts tsx", "", "typescript", Category::kCode},
	{"v sv vhd vhdl", "", "hdl", Category::kCode},
	{"vue svelte", "", "javascript", Category::kCode},
	{"zig", "", "zig", Category::kCode},
	{"md markdown mdx", "", "markdown", Category::kDocumentation},
	{"rst", "", "restructuredtext", Category::kDocumentation},
	{"adoc asciidoc", "", "asciidoc", Category::kDocumentation},
	{"org", "", "org", Category::kDocumentation},
	{"tex", "", "tex", Category::kDocumentation},
	{"html htm xhtml", "", "html", Category::kDocumentation},
	{"txt text", "readme license copying changelog authors contributing install news notice", "text", Category::kDocumentation},
	{"pdf", "", "pdf", Category::kDocumentation},
	{"cfg conf ini properties", "", "ini", Category::kConfiguration},
	{"cmake mk", "makefile gnumakefile cmakelists.txt", "make", Category::kConfiguration},
	{"dockerfile", "dockerfile containerfile", "docker", Category::kConfiguration},
	{"env", "vagrantfile", "env", Category::kConfiguration},
	{"service", "", "systemd", Category::kConfiguration},
	{"tf hcl", "", "hcl", Category::kConfiguration},
	{"toml", "", "toml", Category::kConfiguration},
	{"xml xsd", "", "xml", Category::kConfiguration},
	{"yaml yml", "", "yaml", Category::kConfiguration},
	{"csv tsv", "", "csv", Category::kData},
	{"json jsonl ndjson geojson", "", "json", Category::kData},
	{"log", "", "log", Category::kData},
	{"parquet avro", "", "columns", Category::kData},
};

/// Whether `word` is one of the words of a list that is separated by spaces.
bool among(std::string_view list, std::string_view word)
{
	while (!list.empty()) {
		const std::size_t end = std::min(list.find(' '), list.size());
		if (list.substr(0, end) == word)
			return true;
		list.remove_prefix(std::min(end + 1, list.size()));
	}
	return false;
}

}  // namespace

std::string_view category_name(Category category)
{
	constexpr std::string_view kNames[] = {"code", "documentation", "configuration", "data"};
	return kNames[static_cast<std::size_t>(category)];
}

std::span<const FileKind> file_kinds()
{
	return kKinds;
}

const FileKind *kind_of(std::string_view path)
{
	std::string name(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
	for (char &c : name)
		c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
	for (const FileKind &kind : kKinds) {
		if (among(kind.names, name))
			return &kind;
	}
	const std::size_t dot = name.rfind('.');
	if (dot == std::string::npos)
		return nullptr;
	const std::string_view extension = std::string_view(name).substr(dot + 1);
	for (const FileKind &kind : kKinds) {
		if (!extension.empty() && among(kind.extensions, extension))
			return &kind;
	}
	return nullptr;
}

}  // namespace vectorizer::txt
