// The embedder's part in rows: whose turn it is, and what becomes of an answer. What it knows of rows is in their tables: whatever it
// leaves undone is found again.
#pragma once

#include "core/remote/client.hpp"
#include "pg/embedder/rows.hpp"
#include "pg/embedder/served.hpp"

#include <map>

namespace vectorizer::pg {

class AskingForRows {
public:
	AskingForRows(remote::Client &client, Endpoints &endpoints) : client_(client), endpoints_(endpoints) {}

	/// All collections are to be looked at: somebody has written, or changed something.
	void list() { list_ = true; }

	/// Does the next thing that is due: looks which collections there are, stores an answer, begins a request, finds that a collection
	/// has no more rows. False: nothing is due now. REQUIRES: no transaction.
	bool step();

	/// Keeps an answer for step(). False: the request was none of rows.
	bool finish(remote::Finished &finished);

	/// When something is due next, but for answers that come; kNever.
	static constexpr int64 kNever = PG_INT64_MAX;
	int64 due();

	/// Whether no rows wait that may be asked for, and none are being asked for.
	bool idle() const;

	/// Whether a request runs.
	bool running() const;

private:
	/// A collection whose rows are asked for. A pass goes over them by id; what is left over by then (asked for in vain, or come
	/// meanwhile) is for another one.
	struct Pass {
		AskedCollection of{};
		bool active = false;
		bool counted = false;    // in this pass
		bool exhausted = false;  // nothing more is taken in this pass
		bool again = false;      // another one should follow
		bool news = false;       // something was stored or refused, since a pass last found nothing more to ask for
		int64 after = PG_INT64_MIN;
		TimestampTz not_before = 0;
		TimestampTz retry_at = 0;  // when a row that was refused is due, once it is not active; 0: there is none
		int errors = 0;            // of its own, in a row

		void begin();
	};

	struct Row {
		int64 id;
		bool has_heading;
		std::string heading;
		std::string hash;
	};

	struct Request {
		int64 endpoint = 0;
		int64 version = 0;  // of the endpoint that was asked
		AskedCollection collection{};
		std::vector<Row> rows;
		TimestampTz begun = 0;
		remote::Answer answer;     // from `answered` on, until it is stored
		TimestampTz answered = 0;
		TimestampTz not_before = 0;
	};

	Pass *find(const AskedCollection &of);
	int asked_of(int64 endpoint) const;
	bool any_of(const AskedCollection &of) const;
	bool unstored_of(const AskedCollection &of) const;
	bool may_take(const Pass &pass, const Served &served) const;
	bool look_which();
	bool store_one();
	bool ask_for_one();
	bool look_at(Pass &pass, TimestampTz now);
	bool ask(Pass &pass, Served &served);
	void take(Pass &pass, const Served &served);
	void end(Pass &pass);
	void give_up_for_now(Pass &pass, const ErrorData *error);
	void be_in_trouble(Served &served, TimestampTz now);
	bool settle(Request &request);
	bool store(Request &request, Served &served, Pass &pass);
	void succeed(const Request &request, Served &served, Pass &pass, int64 stored);
	void fail(const Request &request, Served &served, Pass &pass);
	static std::span<const AskedRow> asked_rows(const Request &request);

	remote::Client &client_;
	Endpoints &endpoints_;
	std::vector<Pass> passes_;
	std::size_t turn_ = 0;
	std::map<std::uint64_t, Request> requests_;
	std::vector<Row> taken_;           // in a transaction, to be asked for after it
	std::vector<std::string> texts_;   // of those
	bool list_ = true;
};

}  // namespace vectorizer::pg
