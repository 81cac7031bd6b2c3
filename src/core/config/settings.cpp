#include "core/config/settings.hpp"

namespace vectorizer::config {

void overlay(Settings &lower, const Settings &upper, int strength)
{
	for_each_setting([&](const char *, auto member) {
		if (const auto &value = upper.*member) {
			lower.*member = value;
			(lower.*member)->strength += strength;
		}
	});
}

}  // namespace vectorizer::config
