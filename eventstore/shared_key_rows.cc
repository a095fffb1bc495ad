#include "eventstore/shared_key_rows.h"

#include "schemas/base/keys.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace bos::eventstore::shared_keys {

namespace {

constexpr std::string_view erased_value = "x";

Result<Folded> fold_key(const KeyRows& rows, const Uuid& id, KeyRow row,
                        KeyRows::Changes& changes) {
    BOS_TRY(const std::optional<KeyRow> known, rows.key(id));
    if (row.destroyed()) {
        const bool was_alive = known && !known->destroyed();
        BOS_TRY(const bool to_purge, rows.needs_telling(id));
        if (!known) changes.put_key(id, row);
        if (was_alive) changes.destroy_key(id, known->owner);
        if (was_alive || to_purge) changes.told(id);
        return Folded{.key = id, .purge = was_alive};
    }
    bool is_void = known && known->destroyed();
    if (!row.owner.empty() && !is_void) {
        BOS_TRY(is_void, rows.is_erased(row.owner));
    }
    if (is_void) {
        changes.destroy_key(id, row.owner);
        return Folded{.key = id, .owner = std::move(row.owner), .purge = true};
    }
    // A key is one subject's only, and stays it.
    if (known && !known->owner.empty()) return Folded{.key = id, .owner = known->owner};
    changes.put_key(id, row);
    if (row.owner.empty()) return Folded{.key = id};
    changes.put_assignment(row.owner, id);
    return Folded{.key = id, .owner = std::move(row.owner)};
}

Result<Folded> fold_no_key(const KeyRows& rows, const Uuid& id, KeyRows::Changes& changes) {
    BOS_TRY(const std::optional<KeyRow> known, rows.key(id));
    if (known && !known->destroyed() && known->owner.empty()) changes.forget_key(id);
    return Folded{};
}

Result<Folded> fold_erased(const KeyRows& rows, std::string_view owner, KeyRows::Changes& changes) {
    BOS_TRY(const std::vector<Uuid> ids, rows.keys_of(owner));
    for (const Uuid& id : ids) changes.destroy_key(id, owner);
    changes.put_erased(owner);
    return Folded{.erased = std::string(owner), .purge = !ids.empty()};
}

Result<void> fold_tenant_secret(const KeyRows& rows, const TenantId& tenant,
                                std::string_view wrapped, KeyRows::Changes& changes) {
    BOS_TRY(const auto known, rows.tenant_secret(tenant));
    if (!known) changes.put_tenant_secret(tenant, wrapped);
    return {};
}

Result<void> fold_master_mark(const KeyRows& rows, std::string_view wrapped,
                              KeyRows::Changes& changes) {
    BOS_TRY(const auto known, rows.master_mark());
    if (!known) changes.put_master_mark(wrapped);
    return {};
}

/// Of a record's key.
struct Name {
    std::uint8_t kind = 0;
    Uuid id;
    std::optional<TenantId> tenant;
    std::string_view owner;
};

std::optional<Name> name_of(std::string_view key) {
    Name name;
    KeyReader reader(key);
    if (!reader.u8(name.kind)) return std::nullopt;
    if (name.kind == 'x') {
        name.owner = reader.rest();
        return name;
    }
    if (name.kind == 's') {
        std::string tenant;
        if (!reader.text(tenant)) return std::nullopt;
        name.tenant = TenantId::parse(tenant);
        if (!name.tenant) return std::nullopt;
    }
    if (!reader.uuid(name.id) || !reader.at_end()) return std::nullopt;
    return name;
}

}  // namespace

Row key(const Uuid& id, const KeyRow& row) {
    return {.key = KeyWriter().u8('k').uuid(id).take(), .value = row.to_bytes()};
}

Row no_key(const Uuid& id) { return {.key = KeyWriter().u8('k').uuid(id).take(), .value = {}}; }

Row erased(std::string_view owner) {
    return {.key = KeyWriter().u8('x').raw(owner).take(), .value = std::string(erased_value)};
}

Row tenant_secret(const TenantId& tenant, const Uuid& id, std::string wrapped) {
    return {.key = KeyWriter().u8('s').text(tenant.value()).uuid(id).take(),
            .value = std::move(wrapped)};
}

Row no_tenant_secret(const TenantId& tenant, const Uuid& id) {
    return {.key = KeyWriter().u8('s').text(tenant.value()).uuid(id).take(), .value = {}};
}

Row master_mark(const Uuid& id, std::string wrapped) {
    return {.key = KeyWriter().u8('m').uuid(id).take(), .value = std::move(wrapped)};
}

Result<Folded> fold(const KeyRows& rows, const kafka::SharedTopic::Record& record,
                    KeyRows::Changes& changes) {
    const std::optional<Name> name = name_of(record.key);
    if (name && name->kind == 'k') {
        if (!record.value) return fold_no_key(rows, name->id, changes);
        Result<KeyRow> row = KeyRow::parse(*record.value);
        if (row) return fold_key(rows, name->id, *std::move(row), changes);
    } else if (name && name->kind == 'x' && record.value) {
        return fold_erased(rows, name->owner, changes);
    } else if (name && name->kind == 's') {
        if (record.value) {
            BOS_CHECK(fold_tenant_secret(rows, *name->tenant, *record.value, changes));
        }
        return Folded{};
    } else if (name && name->kind == 'm' && record.value) {
        BOS_CHECK(fold_master_mark(rows, *record.value, changes));
        return Folded{};
    }
    spdlog::warn("keys: the record at offset {} is none of ours and is passed over",
                 record.offset.value);
    return Folded{};
}

Result<std::vector<Row>> rows_of(const KeyRows& rows) {
    std::vector<Row> records;
    BOS_CHECK(rows.each([&](std::string_view key, std::string_view value) -> Result<void> {
        const char kind = key.empty() ? '\0' : key.front();
        if (kind == 'k') {
            records.push_back({.key = std::string(key), .value = std::string(value)});
        } else if (kind == 'x') {
            records.push_back(erased(key.substr(1)));
        }
        return {};
    }));
    return records;
}

Result<bool> has(const KeyRows& rows, const Row& row) {
    const std::optional<Name> name = name_of(row.key);
    if (!name) return fail(Code::corrupt, "a row of the key store is damaged");
    if (name->kind == 'x') return rows.is_erased(name->owner);
    BOS_TRY(const std::optional<KeyRow> known, rows.key(name->id));
    return known && (known->destroyed() || known->to_bytes() == row.value);
}

Result<std::vector<std::pair<TenantId, std::string>>> secrets_of(const KeyRows& rows) {
    std::vector<std::pair<TenantId, std::string>> secrets;
    BOS_CHECK(rows.each([&](std::string_view key, std::string_view value) -> Result<void> {
        if (!key.starts_with('s')) return {};
        std::string name;
        KeyReader reader(key.substr(1));
        auto tenant = reader.text(name) ? TenantId::parse(name) : std::nullopt;
        if (!tenant) return fail(Code::corrupt, "a row of the key store is damaged");
        secrets.emplace_back(*std::move(tenant), std::string(value));
        return {};
    }));
    return secrets;
}

}  // namespace bos::eventstore::shared_keys
