#include "core/config/ignored.hpp"

namespace vectorizer::config {

namespace {

constexpr const char *kOneWatcher = "one watcher a database works through its projects, one after the other";
constexpr const char *kRetried =
	"a file that fails is tried again after 5 seconds, then after twice as long each time, at most an hour";

}  // namespace

void ignore_at_top(Section &top)
{
	top.ignore("monitoring", "what happens is in vectorizer.activity, the views beside it and the server's log");
	top.ignore("validation", "the whole file is checked whenever it is read, and the paths when projects are added");
}

void ignore_in_processing(Section &processing)
{
	processing.ignore("parallel_processing", kOneWatcher);
	processing.ignore("max_concurrent_projects", kOneWatcher);
	processing.ignore("max_concurrent_collections", kOneWatcher);
	processing.ignore("memory", "the server's settings decide (maintenance_work_mem, shared_buffers)");
	std::optional<Section> errors = processing.section("error_handling");
	if (!errors)
		return;
	errors->ignore("max_retries", kRetried);
	errors->ignore("retry_delay_seconds", kRetried);
	errors->ignore("continue_on_error", "a file that fails never keeps others from being indexed");
	errors->ignore("log_errors", "errors are in the server's log and in vectorizer.files, always");
	errors->finish();
}

void ignore_in_file_processing(Section &file_processing)
{
	file_processing.ignore("batch_size", "a batch is at most 100 files, 4 MB or one second of work");
	if (const auto skip = file_processing.boolean("skip_binary_files"); skip && !skip->value)
		file_processing.findings().ignored(skip->place, "ignored: binary files are always skipped, there is no text in them");
}

void ignore_in_file_watcher(Section &file_watcher)
{
	if (const auto enabled = file_watcher.boolean("enabled"); enabled && !enabled->value)
		file_watcher.findings().ignored(
			enabled->place, "ignored: projects are watched; `enabled: false` of a project pauses it");
	file_watcher.ignore("hash_validation_enabled", "the SHA-256 of every changed file is compared, always");
	file_watcher.ignore("grpc_enabled", "clients speak to the server, by SQL");
}

}  // namespace vectorizer::config
