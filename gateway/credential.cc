#include "gateway/credential.h"

#include "gateway/json.h"
#include "schemas/base/digest.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace bos::gateway {

namespace json = boost::json;

namespace {

std::optional<std::string> text_member(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return std::string(value->as_string());
}

std::optional<Hash> parse_hash(std::string_view text) {
    Hash hash;
    if (text.size() != hash.bytes.size() * 2) return std::nullopt;
    const auto digit = [](char c) -> int {
        if (c >= '0' && c <= '9') return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
        const int high = digit(text[2 * i]);
        const int low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        hash.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return hash;
}

std::optional<Credential> read_created(const json::object& line) {
    const auto key_id = text_member(line, "key");
    const auto hash = parse_hash(text_member(line, "sha256").value_or(""));
    auto tenant = TenantId::parse(text_member(line, "tenant").value_or(""));
    const auto user = parse_uuid(text_member(line, "user").value_or(""));
    const auto name = text_member(line, "name");
    const auto role = text_member(line, "role");
    const auto created_at = parse_timestamp(text_member(line, "created_at").value_or(""));
    if (!key_id || !hash || !tenant || !user || !name || !role || !created_at) return std::nullopt;
    std::optional<Timestamp> expires_at;
    if (line.contains("expires_at")) {
        expires_at = parse_timestamp(text_member(line, "expires_at").value_or(""));
        if (!expires_at) return std::nullopt;
    }
    return Credential{*key_id, *hash, *std::move(tenant), UserId(*user),
                      *name,   *role, *created_at,        expires_at};
}

}  // namespace

std::string created_line(const Credential& credential) {
    json::object line;
    line["type"] = "created";
    line["key"] = credential.key_id;
    line["sha256"] = to_hex(credential.secret_hash);
    line["tenant"] = credential.tenant.value();
    line["user"] = to_string(credential.user);
    line["name"] = credential.user_name;
    line["role"] = credential.role;
    line["created_at"] = to_string(credential.created_at);
    if (credential.expires_at) line["expires_at"] = to_string(*credential.expires_at);
    return json::serialize(line);
}

std::string revoked_line(std::string_view key_id, Timestamp at) {
    json::object line;
    line["type"] = "revoked";
    line["key"] = key_id;
    line["at"] = to_string(at);
    return json::serialize(line);
}

std::optional<std::variant<Credential, Revocation>> parse_credential_line(std::string_view text) {
    const auto value = parse_json(text);
    if (!value || !value->is_object()) return std::nullopt;
    const json::object& line = value->as_object();
    const auto type = text_member(line, "type");
    if (type == "created") {
        auto credential = read_created(line);
        if (!credential) return std::nullopt;
        return *std::move(credential);
    }
    auto key_id = text_member(line, "key");
    if (type != "revoked" || !key_id) return std::nullopt;
    return Revocation{*std::move(key_id)};
}

}  // namespace bos::gateway
