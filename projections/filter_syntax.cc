#include "projections/filter_syntax.h"

#include "projections/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace bos::projections::filter_syntax {

namespace {

constexpr std::array<std::string_view, 15> op_names = {
    "eq",       "ne",     "lt",   "le",      "gt",      "ge",     "in",     "nin",
    "contains", "starts", "ends", "has_tag", "between", "within", "is_null"};

std::optional<Op> op_from(std::string_view word) {
    const auto found = std::ranges::find(op_names, word);
    if (found == op_names.end()) return std::nullopt;
    return static_cast<Op>(found - op_names.begin());
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_word_start(c) || is_digit(c) || c == '.'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

struct Token {
    enum class Kind : std::uint8_t { end, word, text, number, duration, punctuation, broken };
    Kind kind = Kind::end;
    std::string_view source;  // as written; of a broken token, what is wrong
    std::size_t at = 0;       // byte
};

/// Cuts the text into tokens, one ahead of the parser.
class Lexer {
  public:
    explicit Lexer(std::string_view text) : text_(text) { advance(); }

    [[nodiscard]] const Token& token() const { return token_; }
    [[nodiscard]] std::size_t column() const { return column_of(token_.at); }
    [[nodiscard]] std::string found() const {
        if (token_.kind == Token::Kind::end) return "the end";
        if (token_.kind == Token::Kind::text) return "a text";  // it may be somebody's name
        return std::string(token_.source);
    }

    void advance() {
        while (next_ < text_.size() && is_space(text_[next_])) ++next_;
        const std::size_t start = next_;
        token_ = {Token::Kind::end, {}, start};
        if (start == text_.size()) return;
        const char first = text_[start];
        if (first == '"') return read_text();
        if (is_word_start(first)) {
            while (next_ < text_.size() && is_word(text_[next_])) ++next_;
            return take(Token::Kind::word, start);
        }
        if (is_digit(first) || first == '-') return read_number();
        next_ = start + 1;
        if (first == '(' || first == ')' || first == ',')
            return take(Token::Kind::punctuation, start);
        // The whole character, if it is a longer one.
        while (next_ < text_.size() && (static_cast<unsigned char>(text_[next_]) & 0xC0) == 0x80)
            ++next_;
        take(Token::Kind::broken, start);
    }

    /// What stands directly behind the token, without a space: the offset of a period.
    [[nodiscard]] std::optional<std::string_view> suffix_after_at() {
        if (next_ >= text_.size() || text_[next_] != '@') return std::nullopt;
        const std::size_t start = ++next_;
        while (next_ < text_.size() && !is_space(text_[next_]) && text_[next_] != ')') ++next_;
        return text_.substr(start, next_ - start);
    }

    [[nodiscard]] std::size_t column_of(std::size_t byte) const {
        const auto starts_character = [](char c) {
            return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
        };
        const std::string_view before = text_.substr(0, byte);
        return 1 + static_cast<std::size_t>(std::ranges::count_if(before, starts_character));
    }

  private:
    void take(Token::Kind kind, std::size_t start) {
        token_ = {kind, text_.substr(start, next_ - start), start};
    }
    void read_text() {
        const std::size_t start = next_++;
        while (next_ < text_.size() && text_[next_] != '"') next_ += text_[next_] == '\\' ? 2u : 1u;
        if (next_ >= text_.size()) {
            next_ = text_.size();
            token_ = {Token::Kind::broken, "a text without its closing \"", start};
            return;
        }
        ++next_;
        take(Token::Kind::text, start);
    }
    void read_number() {
        const std::size_t start = next_++;
        while (next_ < text_.size() && is_digit(text_[next_])) ++next_;
        const bool letter_follows = next_ < text_.size() && is_word(text_[next_]);
        while (next_ < text_.size() && is_word(text_[next_])) ++next_;
        take(letter_follows ? Token::Kind::duration : Token::Kind::number, start);
    }

    std::string_view text_;
    std::size_t next_ = 0;
    Token token_;
};

class Parser {
  public:
    explicit Parser(std::string_view text) : lexer_(text) {}

    Result<std::vector<Node>> parse() {
        BOS_CHECK(either(0));
        if (token().kind != Token::Kind::end) return expected("and, or, or the end");
        return std::move(nodes_);
    }

  private:
    [[nodiscard]] const Token& token() const { return lexer_.token(); }
    [[nodiscard]] bool at_word(std::string_view word) const {
        return token().kind == Token::Kind::word && token().source == word;
    }
    [[nodiscard]] bool at_punctuation(std::string_view mark) const {
        return token().kind == Token::Kind::punctuation && token().source == mark;
    }
    [[nodiscard]] std::unexpected<Error> expected(std::string_view what) const {
        return fail_at(lexer_.column(), fmt::format("expected {}, found {}", what, lexer_.found()));
    }

    using Part = Result<std::size_t>;  // place in nodes_

    Part either(int depth) {
        BOS_TRY(std::size_t left, both(depth));
        while (at_word("or")) {
            lexer_.advance();
            BOS_TRY(const std::size_t right, both(depth));
            left = add({Node::Kind::either, left, right, {}});
        }
        return left;
    }

    Part both(int depth) {
        BOS_TRY(std::size_t left, part(depth));
        while (at_word("and")) {
            lexer_.advance();
            BOS_TRY(const std::size_t right, part(depth));
            left = add({Node::Kind::both, left, right, {}});
        }
        return left;
    }

    Part part(int depth) {
        if (depth >= Filter::depth_max) {
            return fail_at(lexer_.column(),
                           fmt::format("more than {} levels of ( and not", Filter::depth_max));
        }
        if (at_word("not")) {
            lexer_.advance();
            BOS_TRY(const std::size_t negated, part(depth + 1));
            return add({Node::Kind::negated, negated, 0, {}});
        }
        if (at_punctuation("(")) {
            lexer_.advance();
            BOS_TRY(const std::size_t inner, either(depth + 1));
            if (!at_punctuation(")")) return expected("and, or, or )");
            lexer_.advance();
            return inner;
        }
        return term();
    }

    Part term() {
        if (token().kind != Token::Kind::word || op_from(token().source) || at_word("and") ||
            at_word("or")) {
            return expected("a field, not, or (");
        }
        if (++terms_ > Filter::terms_max) {
            return fail_at(lexer_.column(),
                           fmt::format("more than {} conditions", Filter::terms_max));
        }
        Term term;
        term.field = token().source;
        term.field_column = lexer_.column();
        lexer_.advance();
        const std::optional<Op> op =
            token().kind == Token::Kind::word ? op_from(token().source) : std::nullopt;
        if (!op) {
            return expected(
                fmt::format("one of {} after the field {}", fmt::join(op_names, ", "), term.field));
        }
        term.op = *op;
        term.op_column = lexer_.column();
        if (term.op == Op::within) {
            BOS_CHECK(read_period(term.period));
        } else {
            lexer_.advance();
            BOS_CHECK(read_operands(term));
        }
        return add({Node::Kind::term, 0, 0, std::move(term)});
    }

    Result<void> read_operands(Term& term) {
        switch (term.op) {
            case Op::is_null:
                return {};
            case Op::in:
            case Op::nin:
                return read_values_in_parentheses(term);
            case Op::between:
                BOS_CHECK(read_value(term));
                if (!at_word("and")) return expected("and, then the upper end of between");
                lexer_.advance();
                return read_value(term);
            default:
                return read_value(term);
        }
    }

    Result<void> read_values_in_parentheses(Term& term) {
        if (!at_punctuation("(")) return expected(fmt::format("( after {}", name_of(term.op)));
        do {
            lexer_.advance();
            BOS_CHECK(read_value(term));
        } while (at_punctuation(","));
        if (!at_punctuation(")")) return expected(", or )");
        lexer_.advance();
        return {};
    }

    Result<void> read_value(Term& term) {
        if (++values_ > Filter::values_max) {
            return fail_at(lexer_.column(), fmt::format("more than {} values", Filter::values_max));
        }
        Literal literal;
        literal.column = lexer_.column();
        if (token().kind == Token::Kind::text) {
            literal.kind = Literal::Kind::text;
            BOS_CHECK(unquote(literal.text));
        } else if (token().kind == Token::Kind::number) {
            literal.kind = Literal::Kind::number;
            BOS_CHECK(read_integer(token().source, literal.number));
        } else if (at_word("true") || at_word("false")) {
            literal.kind = Literal::Kind::boolean;
            literal.number = at_word("true") ? 1 : 0;
        } else if (at_word("me")) {
            literal.kind = Literal::Kind::me;
        } else {
            return expected("a \"text\", a number, true, false or me");
        }
        lexer_.advance();
        term.values.push_back(std::move(literal));
        return {};
    }

    Result<void> unquote(std::string& out) const {
        const std::string_view inside = token().source.substr(1, token().source.size() - 2);
        for (std::size_t i = 0; i < inside.size(); ++i) {
            if (inside[i] == '\\') {
                ++i;
                if (inside[i] != '"' && inside[i] != '\\') {
                    return fail_at(lexer_.column_of(token().at + 1 + i),
                                   "expected \\\" or \\\\ after a \\");
                }
            }
            out.push_back(inside[i]);
        }
        return {};
    }

    Result<void> read_integer(std::string_view digits, std::int64_t& out) const {
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), out);
        if (error == std::errc() && end == digits.data() + digits.size()) return {};
        return fail_at(lexer_.column(),
                       fmt::format("expected a whole number of 64 bits, found {}", digits));
    }

    /// The token is `within`.
    Result<void> read_period(Period& period) {
        lexer_.advance();
        if (at_word("last")) {
            lexer_.advance();
            return read_last(period);
        }
        if (at_word("today")) {
            period.kind = Period::Kind::today;
        } else if (at_word("this_week")) {
            period.kind = Period::Kind::this_week;
        } else if (at_word("this_month")) {
            period.kind = Period::Kind::this_month;
        } else {
            return expected("last, today, this_week or this_month");
        }
        const std::size_t column = lexer_.column() + token().source.size() + 1;
        if (const auto offset = lexer_.suffix_after_at()) {
            BOS_CHECK(read_offset(*offset, column, period.offset_minutes));
        }
        lexer_.advance();
        return {};
    }

    Result<void> read_last(Period& period) {
        const std::string_view source = token().source;
        const std::string_view units = "mhdw";
        constexpr std::array<std::int64_t, 4> seconds = {60, 3600, 86'400, 604'800};
        const bool sound = token().kind == Token::Kind::duration && source.size() > 1 &&
                           source.size() <= 7 && is_digit(source[0]) &&
                           std::ranges::all_of(source.substr(0, source.size() - 1), is_digit) &&
                           units.contains(source.back());
        if (!sound) return expected("up to six digits and m, h, d or w, as in 7d");
        std::int64_t count = 0;
        BOS_CHECK(read_integer(source.substr(0, source.size() - 1), count));
        period.kind = Period::Kind::last;
        period.seconds = count * seconds[units.find(source.back())];
        lexer_.advance();
        return {};
    }

    static Result<void> read_offset(std::string_view text, std::size_t column,
                                    std::int32_t& minutes) {
        if (text == "Z") return {};
        const bool sound = text.size() == 6 && (text[0] == '+' || text[0] == '-') &&
                           is_digit(text[1]) && is_digit(text[2]) && text[3] == ':' &&
                           is_digit(text[4]) && is_digit(text[5]);
        const auto number = [&](std::size_t at) {
            return (text[at] - '0') * 10 + (text[at + 1] - '0');
        };
        if (!sound || number(1) > 23 || number(4) > 59) {
            return fail_at(column,
                           fmt::format("expected Z or an offset as +02:00, found {}", text));
        }
        minutes = (number(1) * 60 + number(4)) * (text[0] == '-' ? -1 : 1);
        return {};
    }

    std::size_t add(Node node) {
        nodes_.push_back(std::move(node));
        return nodes_.size() - 1;
    }

    Lexer lexer_;
    std::vector<Node> nodes_;
    std::size_t terms_ = 0;
    std::size_t values_ = 0;
};

}  // namespace

std::string_view name_of(Op op) { return op_names[static_cast<std::size_t>(op)]; }

std::unexpected<Error> fail_at(std::size_t column, std::string_view what) {
    return fail(Code::invalid, fmt::format("filter, column {}: {}", column, what));
}

Result<std::vector<Node>> parse(std::string_view text) {
    if (text.size() > Filter::bytes_max) {
        return fail(Code::invalid, fmt::format("filter: longer than {} bytes", Filter::bytes_max));
    }
    return Parser(text).parse();
}

}  // namespace bos::projections::filter_syntax
