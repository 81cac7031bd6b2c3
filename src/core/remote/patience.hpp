// How an endpoint is asked after what it has answered: how many texts at a time, when again, and when a text is to blame. Pure: the
// clock and chance are the caller's.
#pragma once

#include "core/remote/answer.hpp"

#include <cstddef>

namespace vectorizer::remote {

inline constexpr double kLongestOutage = 60;  // seconds between two looks whether an endpoint that is not there is back

class Patience {
public:
	struct Verdict {
		double delay = 0;     // seconds until the endpoint may be asked again
		bool blames = false;  // the text that was asked for, alone, is to blame: leave it out for a while
	};

	explicit Patience(int max_batch) : max_batch_(max_batch), batch_(max_batch) {}

	/// Texts to ask for at a time: half as many after each failure, for they may have been too many, or one of them the reason. Twice as
	/// many after a success, but where a larger batch came to nothing for no reason of its own (a time-out), only after several.
	int batch() const { return batch_; }

	/// In a row.
	int failures() const { return failures_; }

	/// kOk or kPartial.
	void succeeded();

	/// Any other outcome, for a request of `texts` texts. Only requests that were refused (one text may be too long) are cut without
	/// a delay, and only so many in a row.
	Verdict failed(const Answer &answer, std::size_t texts, double random01);

private:
	int max_batch_;
	int batch_;
	int failures_ = 0;
	bool cautious_ = false;  // the last failure was one that texts are not to blame for
	int successes_ = 0;      // in a row, since the batch was changed
};

/// Whether an answer that is kRefused speaks of the endpoint (its key, its path) and not of what was asked.
bool refuses_everything(const Answer &answer);

}  // namespace vectorizer::remote
