#include "pg/embedder/served.hpp"

#include "pg/boundary.hpp"
#include "pg/workspace/subtransaction.hpp"
#include "pg/workspace/transaction.hpp"

namespace vectorizer::pg {

namespace {

constexpr int64 kReload = USECS_PER_MINUTE;

Served served_of(const EndpointRow &row, const Served *before)
{
	Served served;
	if (before != nullptr && before->version == row.version)
		served = *before;
	else
		served.patience = remote::Patience(row.max_batch);
	served.id = row.id;
	served.version = row.version;
	served.max_characters = row.max_characters;
	served.max_requests = row.max_requests;
	served.trouble.clear();
	return served;
}

}  // namespace

void Endpoints::load()
{
	const TimestampTz now = GetCurrentTimestamp();
	if (loaded_ != 0 && now >= loaded_ && now - loaded_ < kReload)
		return;
	fresh_.clear();
	const ErrorData *failed = attempt_transaction([&] {
		for (const EndpointRow &row : load_endpoints()) {
			const char *key = "";
			const ErrorData *error = in_subtransaction([&] { key = authorize_endpoint(row); });
			guard([&] {
				Served &served = fresh_.emplace_back(served_of(row, find(row.id)));
				if (error != nullptr) {
					served.trouble = error->message;
					return;
				}
				served.documents = remote_endpoint(row, key, Asked::kDocument);
				served.queries = remote_endpoint(row, key, Asked::kQuery);
			});
		}
	});
	if (failed != nullptr)
		return;
	served_.swap(fresh_);
	loaded_ = now;
	known_ = true;
}

Served *Endpoints::find(int64 id)
{
	const auto at = std::ranges::find(served_, id, &Served::id);
	return at == served_.end() ? nullptr : &*at;
}

}  // namespace vectorizer::pg
