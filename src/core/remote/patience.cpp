#include "core/remote/patience.hpp"

#include "core/remote/retry.hpp"

#include <algorithm>

namespace vectorizer::remote {

namespace {

/// Enough to find one text among the largest batch.
constexpr int kRefusalsWithoutDelay = 12;

constexpr int kSuccessesBeforeMore = 8;

/// Whether another set of texts may fare better. Servers fail with 500 where a text makes a model's numbers overflow.
bool may_be_the_texts(const Answer &answer)
{
	switch (answer.outcome) {
		case Outcome::kWrong: return true;
		case Outcome::kRefused: return !refuses_everything(answer);
		case Outcome::kRetry: return answer.status == 500;
		case Outcome::kOk:
		case Outcome::kPartial: return false;
	}
	return false;
}

}  // namespace

bool refuses_everything(const Answer &answer)
{
	return answer.status < 400 || (answer.status >= 401 && answer.status <= 407);
}

void Patience::succeeded()
{
	failures_ = 0;
	if (++successes_ < (cautious_ ? kSuccessesBeforeMore : 1))
		return;
	successes_ = 0;
	batch_ = std::min(batch_ * 2, max_batch_);
	cautious_ = cautious_ && batch_ < max_batch_;
}

Patience::Verdict Patience::failed(const Answer &answer, std::size_t texts, double random01)
{
	++failures_;
	Verdict verdict;
	const bool refused = answer.outcome == Outcome::kRefused && may_be_the_texts(answer);
	if (!refused || failures_ > kRefusalsWithoutDelay) {
		verdict.delay = next_delay(refused ? failures_ - kRefusalsWithoutDelay : failures_, answer.retry_after, random01);
		// Nobody answers, or nobody says for how long: to look costs nothing, and whoever waits wants it soon.
		if (answer.outcome == Outcome::kRetry && answer.retry_after < 0)
			verdict.delay = std::min(verdict.delay, kLongestOutage);
	}
	verdict.blames = texts <= 1 && may_be_the_texts(answer);
	cautious_ = !may_be_the_texts(answer);
	successes_ = 0;
	batch_ = static_cast<int>(std::max<std::size_t>(1, std::min(static_cast<std::size_t>(batch_), texts / 2)));
	return verdict;
}

}  // namespace vectorizer::remote
