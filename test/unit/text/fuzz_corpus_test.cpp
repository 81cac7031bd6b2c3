// Runs each fuzz target over its seed corpus, so that CI exercises the targets without a fuzzer.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#define LLVMFuzzerTestOneInput fuzz_utf8
#include "../../fuzz/utf8.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_chunker
#include "../../fuzz/chunker.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_html
#include "../../fuzz/html.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_markdown
#include "../../fuzz/markdown.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_document
#include "../../fuzz/document.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_glob
#include "../../fuzz/glob.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_workspace_config
#include "../../fuzz/workspace_config.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_embeddings_answer
#include "../../fuzz/embeddings_answer.cpp"
#undef LLVMFuzzerTestOneInput

namespace {

using Target = int (*)(const std::uint8_t *, std::size_t);

// Every seed as it is, and a few hundred times with random bytes changed.
void run(Target target, const std::string &name)
{
	std::filesystem::path folder = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() / "fuzz" / "corpus" / name;
	std::mt19937 random(1);
	int seeds = 0;
	for (const auto &entry : std::filesystem::directory_iterator(folder)) {
		std::ifstream file(entry.path(), std::ios::binary);
		const std::string seed{std::istreambuf_iterator<char>(file), {}};
		ASSERT_FALSE(seed.empty()) << entry.path();
		++seeds;
		for (int round = 0; round < 300; ++round) {
			std::string input = seed;
			for (int change = 0; change < round % 6; ++change)
				input[random() % input.size()] = random() % 3 == 0 ? static_cast<char>(random()) : seed[random() % seed.size()];
			target(reinterpret_cast<const std::uint8_t *>(input.data()), input.size());
		}
	}
	EXPECT_GE(seeds, 5);
}

}  // namespace

TEST(FuzzCorpus, Utf8) { run(fuzz_utf8, "utf8"); }
TEST(FuzzCorpus, Chunker) { run(fuzz_chunker, "chunker"); }
TEST(FuzzCorpus, Html) { run(fuzz_html, "html"); }
TEST(FuzzCorpus, Markdown) { run(fuzz_markdown, "markdown"); }
TEST(FuzzCorpus, Document) { run(fuzz_document, "document"); }
TEST(FuzzCorpus, Glob) { run(fuzz_glob, "glob"); }
TEST(FuzzCorpus, WorkspaceConfig) { run(fuzz_workspace_config, "workspace_config"); }
TEST(FuzzCorpus, EmbeddingsAnswer) { run(fuzz_embeddings_answer, "embeddings_answer"); }
