// What a person reads of an exchange that failed: one line, in which nothing that a server says can do harm.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vectorizer::remote {

inline constexpr std::size_t kMostReasonCharacters = 300;

/// `text` as one line of at most that many characters: each run of blanks and control characters is a blank, what is not UTF-8 is
/// U+FFFD, characters that turn the direction of writing are left out, and so is `key` wherever it stands ("[key]"; empty: no
/// key).
std::string one_line(std::string_view text, std::string_view key, std::size_t most = kMostReasonCharacters);

/// The server's own message in the body of an answer: {"error": {"message": ...}} as OpenAI has it, {"error": ...},
/// {"message": ...} or {"detail": ...} as others do, or a body that is plain text. Empty if there is none, and for bodies of more
/// than 64 KiB. As it came: for one_line().
std::string server_message(std::string_view body);

}  // namespace vectorizer::remote
