#include "pg/embedder/served.hpp"

#include "pg/boundary.hpp"
#include "pg/embedder/attempt.hpp"
#include "pg/workspace/subtransaction.hpp"

namespace vectorizer::pg {

namespace {

constexpr int64 kReload = USECS_PER_MINUTE;

Served served_of(const EndpointRow &row, const char *key, const char *trouble)
{
	Served served;
	served.id = row.id;
	served.max_characters = row.max_characters;
	served.max_requests = row.max_requests;
	served.patience = remote::Patience(row.max_batch);
	if (trouble != nullptr) {
		served.trouble = trouble;
		return served;
	}
	served.documents = remote_endpoint(row, key, Asked::kDocument);
	served.queries = remote_endpoint(row, key, Asked::kQuery);
	return served;
}

}  // namespace

void Endpoints::load()
{
	const TimestampTz now = GetCurrentTimestamp();
	if (loaded_ != 0 && now >= loaded_ && now - loaded_ < kReload)
		return;
	const bool anew = loaded_ == 0;
	fresh_.clear();
	const char *failed = attempt_transaction([&] {
		for (const EndpointRow &row : load_endpoints()) {
			const char *key = "";
			const ErrorData *error = in_subtransaction([&] { key = authorize_endpoint(row); });
			guard([&] { fresh_.push_back(served_of(row, key, error == nullptr ? nullptr : error->message)); });
		}
	});
	if (failed != nullptr)
		return;
	guard([&] {
		for (Served &each : fresh_) {
			const Served *old = find(each.id);
			if (old == nullptr)
				continue;
			each.running = old->running;
			each.queries_running = old->queries_running;
			if (anew)
				continue;
			each.patience = old->patience;
			each.not_before = old->not_before;
			each.query_patience = old->query_patience;
			each.queries_not_before = old->queries_not_before;
			each.query_trouble = old->query_trouble;
		}
		served_.swap(fresh_);
	});
	loaded_ = now;
	changes_ += anew ? 1 : 0;
}

Served *Endpoints::find(int64 id)
{
	const auto at = std::ranges::find(served_, id, &Served::id);
	return at == served_.end() ? nullptr : &*at;
}

}  // namespace vectorizer::pg
