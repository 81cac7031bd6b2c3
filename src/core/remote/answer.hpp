// What came of asking an endpoint for embeddings, and reading the body of its answer. Knows nothing of the network.
#pragma once

#include "core/stop.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vectorizer::remote {

enum class Outcome {
	kOk,       // every text has its embedding
	kPartial,  // a sound answer with some of them; the others are to be asked for anew
	kRetry,    // later, all of it: the same request may well succeed
	kRefused,  // the server does not want this request; it will not want it later either
	kWrong,    // an answer that is not what was asked for: nothing of it is to be believed
};

/// "ok", "partial", "retry", "refused", "wrong".
const char *outcome_name(Outcome outcome);

struct Answer {
	Outcome outcome = Outcome::kWrong;
	std::vector<float> values;  // texts x dimension, finite; those of a text that is not `given` are 0
	std::vector<bool> given;    // one a text, whether it has an embedding; all true when kOk. Both empty unless kOk or kPartial
	double retry_after = -1;    // seconds, as the server's Retry-After says; -1: it says nothing
	int status = 0;             // of HTTP; 0: there was no answer
	std::string reason;         // one line of at most 300 characters, for a person; never the key. Empty when kOk
};

/// Reads the body of an answer that says it is one (status 2xx) to a request for the embeddings of `texts` texts.
///
/// Sound is {"data": [{"index": i, "embedding": [...]}, ...]}, in any order, with any other keys at any place: each index below
/// `texts` and there once, each embedding `dimension` numbers that fit float (zero vectors are legal). Items may all be without
/// an index if there is one for every text; fewer could be anybody's, so that is kWrong. kRetry: the JSON ends before its end.
/// Everything else that is not sound is kWrong, for all texts. Nesting is limited to 64.
///
/// Sets outcome, values, given and reason. Throws Errc::kCancelled. REQUIRES: texts >= 1, dimension >= 1.
Answer read_answer(std::string_view body, std::size_t texts, int dimension, Stop stop);

}  // namespace vectorizer::remote
