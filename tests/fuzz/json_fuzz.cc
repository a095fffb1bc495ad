// JSON bodies: what is read is written and read again as the same, and a command that is read from
// one keeps its rules.
#include "commands/modules.h"
#include "gateway/json.h"
#include "schemas/base/json_read.h"
#include "schemas/base/json_write.h"
#include "schemas/base/validate.h"
#include "tests/fuzz/check.h"

#include <boost/json/serialize.hpp>

#include <vector>

using bos::fuzz::always;

namespace {

template <class Command>
void read_as(const boost::json::value& json) {
    Command command{};
    std::vector<bos::FieldError> errors;
    bos::read_json(json, command, errors, {});
    if (!errors.empty()) return;
    bos::validate(command, "", errors);
    const auto written = bos::gateway::parse_json(bos::to_json(command, bos::ShowPii::plain));
    always(written.has_value(), "what we write is JSON");
    Command again{};
    std::vector<bos::FieldError> second;
    bos::read_json(*written, again, second, {});
    always(second.empty() && again == command, "a command survives its JSON");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto json = bos::gateway::parse_json(bos::fuzz::text_of(data + 1, size - 1));
    if (!json) {
        always(json.error().offset <= size, "an error stands in the text");
        return 0;
    }
    const auto again = bos::gateway::parse_json(boost::json::serialize(*json));
    always(again && *again == *json, "JSON that was read is written and read again as the same");
    std::size_t number = 0;
    bos::for_each_type(bos::commands::Modules{}, [&]<class Module>() {
        bos::for_each_type(typename Module::Commands{}, [&]<class Command>() {
            if (number++ % 32 == data[0] % 32) read_as<Command>(*json);
        });
    });
    return 0;
}
