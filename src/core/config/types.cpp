#include "core/config/types.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vectorizer::config {

namespace {

// The extensions and names are those of core/text/file_kinds (a unit test compares them), without what is no text: parquet, avro.
// Several patterns and not one, for people read them in exports.
const std::vector<CollectionType> &all()
{
	static const std::vector<CollectionType> kTypes{
		{"code",
			{
				"**/*.{c,h,cc,cpp,cxx,hh,hpp,hxx,inl,ipp,cu,cuh,m,mm,d,zig,nim}",
				"**/*.{asm,s,S,ada,adb,ads,f,f90,f95,for,pas,v,sv,vhd,vhdl}",
				"**/*.{java,kt,kts,scala,groovy,gradle,clj,cljs,cs,ps1}",
				"**/*.{js,cjs,mjs,jsx,ts,mts,cts,tsx,vue,svelte,css,less,scss,dart,swift}",
				"**/*.{py,pyi,rb,php,pl,pm,t,lua,r,R,jl,bash,sh,zsh,sql,proto}",
				"**/*.{go,rs,erl,hrl,ex,exs,hs,ml,mli,el,lisp,scm}",
				"**/{Jenkinsfile,Gemfile,Rakefile}",
			},
			256, 25, "code"},
		{"documentation",
			{
				"**/*.{md,markdown,mdx,rst,adoc,asciidoc,org,tex,html,htm,xhtml,txt,text,pdf}",
				"**/{README,CHANGELOG,CONTRIBUTING,INSTALL,NEWS,AUTHORS,LICENSE,COPYING,NOTICE}",
			},
			1024, 128, "documentation"},
		{"configuration",
			{
				"**/*.{cfg,conf,ini,properties,cmake,mk,dockerfile,env,service,tf,hcl,toml,xml,xsd,yaml,yml}",
				"**/{Makefile,GNUmakefile,CMakeLists.txt,Dockerfile,Containerfile,Vagrantfile}",
			},
			128, 10, "configuration"},
		{"data", {"**/*.{csv,tsv,json,jsonl,ndjson,geojson,log}"}, 512, 50, "data"},
		{"custom", {"**"}, 1200, 150, ""},
	};
	return kTypes;
}

constexpr std::pair<std::string_view, std::string_view> kWords[] = {
	{"doc", "documentation"},
	{"docs", "documentation"},
	{"documentation", "documentation"},
	{"guide", "documentation"},
	{"guides", "documentation"},
	{"manual", "documentation"},
	{"manuals", "documentation"},
	{"wiki", "documentation"},
	{"spec", "documentation"},
	{"specs", "documentation"},
	{"readme", "documentation"},
	{"rfc", "documentation"},
	{"rfcs", "documentation"},
	{"blog", "documentation"},
	{"notes", "documentation"},
	{"src", "code"},
	{"source", "code"},
	{"code", "code"},
	{"lib", "code"},
	{"api", "code"},
	{"test", "code"},
	{"tests", "code"},
	{"sdk", "code"},
	{"config", "configuration"},
	{"configs", "configuration"},
	{"configuration", "configuration"},
	{"conf", "configuration"},
	{"settings", "configuration"},
	{"deploy", "configuration"},
	{"infra", "configuration"},
	{"ci", "configuration"},
	{"data", "data"},
	{"dataset", "data"},
	{"datasets", "data"},
	{"logs", "data"},
	{"fixtures", "data"},
};

}  // namespace

std::span<const CollectionType> types()
{
	return all();
}

const CollectionType *find_type(std::string_view name)
{
	const auto found = std::find_if(all().begin(), all().end(), [&](const CollectionType &type) { return type.name == name; });
	return found == all().end() ? nullptr : &*found;
}

const std::vector<std::string> &default_exclude()
{
	static const std::vector<std::string> kExclude{"**/node_modules", "**/__pycache__"};
	return kExclude;
}

const CollectionType &infer_type(std::string_view name)
{
	std::string last(name.substr(name.rfind('.') + 1));  // npos + 1 is 0
	std::transform(
		last.begin(), last.end(), last.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
	std::string_view rest = last;
	while (!rest.empty()) {
		const std::size_t cut = rest.find_last_of("-_");
		const std::string_view word = cut == std::string_view::npos ? rest : rest.substr(cut + 1);
		for (const auto &[known, type] : kWords) {
			if (word == known)
				return *find_type(type);
		}
		rest = cut == std::string_view::npos ? std::string_view() : rest.substr(0, cut);
	}
	return *find_type("custom");
}

}  // namespace vectorizer::config
