#include "gateway/json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <charconv>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

namespace bos::gateway {

namespace {

namespace json = boost::json;
using boost::system::error_code;

std::string escaped(std::string_view key) {
    std::string out;
    for (const char c : key) {
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else {
            out += c;
        }
    }
    return out;
}

/// Builds the value while it watches keys and numbers.
class ValueBuilder {
  public:
    static constexpr std::size_t max_object_size = json::object::max_size();
    static constexpr std::size_t max_array_size = json::array::max_size();
    static constexpr std::size_t max_key_size = json::string::max_size();
    static constexpr std::size_t max_string_size = json::string::max_size();

    // What the handler itself refused; the parser's own refusals are in its error code.
    enum class Refusal { none, duplicate_key, number_out_of_range };

    ValueBuilder() { stack_.reset(); }

    [[nodiscard]] Refusal refusal() const { return refusal_; }
    [[nodiscard]] json::value take() { return stack_.release(); }
    [[nodiscard]] std::string pointer() const {
        std::string out;
        for (const Frame& frame : frames_) {
            if (!frame.is_object) {
                out += '/' + std::to_string(frame.index);
            } else if (frame.key != nullptr) {
                out += '/' + escaped(*frame.key);
            }
        }
        return out;
    }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) {
        frames_.push_back(Frame{.is_object = true});
        return true;
    }
    bool on_object_end(std::size_t size, error_code&) {
        stack_.push_object(size);
        frames_.pop_back();
        return value_ended();
    }
    bool on_array_begin(error_code&) {
        frames_.push_back(Frame{.is_object = false});
        return true;
    }
    bool on_array_end(std::size_t size, error_code&) {
        stack_.push_array(size);
        frames_.pop_back();
        return value_ended();
    }
    bool on_key_part(json::string_view part, std::size_t, error_code&) {
        key_.append(part.data(), part.size());
        stack_.push_chars(part);
        return true;
    }
    bool on_key(json::string_view rest, std::size_t, error_code& error) {
        key_.append(rest.data(), rest.size());
        Frame& frame = frames_.back();
        const auto [key, is_new] = frame.keys.insert(std::exchange(key_, {}));
        frame.key = &*key;
        if (!is_new) return refuse(Refusal::duplicate_key, error);
        stack_.push_key(rest);
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t, error_code&) {
        stack_.push_chars(part);
        return true;
    }
    bool on_string(json::string_view rest, std::size_t, error_code&) {
        stack_.push_string(rest);
        return value_ended();
    }
    bool on_number_part(json::string_view, error_code&) { return true; }
    bool on_int64(std::int64_t number, json::string_view, error_code&) {
        stack_.push_int64(number);
        return value_ended();
    }
    bool on_uint64(std::uint64_t number, json::string_view, error_code&) {
        stack_.push_uint64(number);
        return value_ended();
    }
    bool on_double(double number, json::string_view text, error_code& error) {
        // An integer that 64 bits do not hold would come out as another number.
        const bool is_integer = text.find_first_of(".eE") == json::string_view::npos;
        if (is_integer || !std::isfinite(number))
            return refuse(Refusal::number_out_of_range, error);
        stack_.push_double(nearest(text, number));
        return value_ended();
    }
    bool on_bool(bool value, error_code&) {
        stack_.push_bool(value);
        return value_ended();
    }
    bool on_null(error_code&) {
        stack_.push_null();
        return value_ended();
    }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

  private:
    struct Frame {
        bool is_object = false;
        std::size_t index = 0;
        const std::string* key = nullptr;  // into `keys`, whose nodes stay
        // Ordered, so that chosen keys cannot make it slow.
        std::set<std::string> keys{};
    };

    /// Boost.JSON 1.81 may be off by the last bit: what is written of such a number is read as
    /// another one.
    static double nearest(json::string_view text, double number) {
        double exact = number;
        const char* const end = text.data() + text.size();
        const auto [stop, problem] = std::from_chars(text.data(), end, exact);
        return problem == std::errc() && stop == end ? exact : number;
    }

    bool value_ended() {
        if (!frames_.empty()) ++frames_.back().index;
        return true;
    }
    bool refuse(Refusal refusal, error_code& error) {
        refusal_ = refusal;
        error = json::error::syntax;
        return false;
    }

    json::value_stack stack_;
    std::vector<Frame> frames_;
    std::string key_;
    Refusal refusal_ = Refusal::none;
};

struct Reason {
    std::string_view code;
    std::string_view detail;
};

/// The codes: json_duplicate_key, json_number_out_of_range, json_too_deep, json_incomplete,
/// json_extra_data, json_lone_surrogate, json_syntax (which ill-formed UTF-8 is part of).
Reason reason_of(ValueBuilder::Refusal refusal, const error_code& error) {
    if (refusal == ValueBuilder::Refusal::duplicate_key) {
        return {"json_duplicate_key", "an object has the same key twice"};
    }
    if (refusal == ValueBuilder::Refusal::number_out_of_range ||
        error == json::error::exponent_overflow) {
        return {"json_number_out_of_range", "a number is outside the range that is kept exactly"};
    }
    if (error == json::error::too_deep) return {"json_too_deep", "more than 32 levels of nesting"};
    if (error == json::error::incomplete)
        return {"json_incomplete", "the text ends inside the value"};
    if (error == json::error::extra_data) return {"json_extra_data", "text follows the value"};
    if (error == json::error::illegal_leading_surrogate ||
        error == json::error::illegal_trailing_surrogate ||
        error == json::error::expected_utf16_escape) {
        return {"json_lone_surrogate", "an escaped surrogate stands alone"};
    }
    return {"json_syntax", "not JSON (RFC 8259)"};
}

}  // namespace

std::expected<json::value, JsonError> parse_json(std::string_view text) {
    json::parse_options
        options;  // the default allows no comments, trailing commas or invalid UTF-8
    options.max_depth = json_depth_max;
    json::basic_parser<ValueBuilder> parser(options);
    error_code error;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
    if (!error && read < text.size()) error = json::error::extra_data;
    if (!error) return parser.handler().take();

    const ValueBuilder& builder = parser.handler();
    const Reason reason = reason_of(builder.refusal(), error);
    return std::unexpected(
        JsonError{read, std::string(reason.code), std::string(reason.detail), builder.pointer()});
}

}  // namespace bos::gateway
