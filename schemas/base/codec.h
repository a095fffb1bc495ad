#pragma once

#include "schemas/base/assert.h"
#include "schemas/base/field.h"
#include "schemas/base/message.h"
#include "schemas/base/result.h"
#include "schemas/base/types.h"

#include <flatbuffers/flatbuffers.h>

#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// Generated messages to and from FlatBuffers bytes, driven by their field lists. The bytes are what
// flatc's own code reads and writes for the same schema. Encoding is deterministic: equal messages
// give equal bytes.

namespace bos {

namespace codec {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Table;
using flatbuffers::uoffset_t;
using flatbuffers::Verifier;
using flatbuffers::voffset_t;

struct WireUuid {
    std::uint8_t bytes[16];
};
static_assert(sizeof(WireUuid) == 16 && alignof(WireUuid) == 1);

struct WireMoney {
    std::int64_t minor;
    std::uint8_t currency[3];
    std::uint8_t padding[5];
};
static_assert(sizeof(WireMoney) == 16 && alignof(WireMoney) == 8);

inline WireUuid to_wire(const Uuid& uuid) { return std::bit_cast<WireUuid>(uuid.bytes); }
template <class Tag>
WireUuid to_wire(const Id<Tag>& id) {
    return to_wire(id.value());
}
inline WireMoney to_wire(const Money& money) {
    WireMoney wire{};
    wire.minor = flatbuffers::EndianScalar(money.minor);
    std::memcpy(wire.currency, money.currency.letters.data(), 3);
    return wire;
}
inline void from_wire(const WireUuid& wire, Uuid& uuid) {
    uuid.bytes = std::bit_cast<std::array<std::uint8_t, 16>>(wire);
}
template <class Tag>
void from_wire(const WireUuid& wire, Id<Tag>& id) {
    Uuid uuid;
    from_wire(wire, uuid);
    id = Id<Tag>(uuid);
}
inline void from_wire(const WireMoney& wire, Money& money) {
    money.minor = flatbuffers::EndianScalar(wire.minor);
    std::memcpy(money.currency.letters.data(), wire.currency, 3);
}

template <class T>
struct wire_struct {};
template <>
struct wire_struct<Uuid> {
    using type = WireUuid;
};
template <class Tag>
struct wire_struct<Id<Tag>> {
    using type = WireUuid;
};
template <>
struct wire_struct<Money> {
    using type = WireMoney;
};

template <class T>
concept WireStruct = requires { typename wire_struct<T>::type; };
template <class T>
concept WireScalar = std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, Timestamp>;

template <class T>
auto scalar_to_wire(const T& value) {
    if constexpr (std::is_same_v<T, Timestamp>) {
        return micros(value);
    } else if constexpr (std::is_same_v<T, bool>) {
        return static_cast<std::uint8_t>(value);
    } else if constexpr (std::is_enum_v<T>) {
        return static_cast<std::underlying_type_t<T>>(value);
    } else {
        return value;
    }
}
template <class T>
using wire_scalar = decltype(scalar_to_wire(std::declval<T>()));

template <class T>
T scalar_from_wire(wire_scalar<T> wire) {
    if constexpr (std::is_same_v<T, Timestamp>) {
        return from_micros(wire);
    } else {
        return static_cast<T>(wire);
    }
}

constexpr voffset_t offset_of(std::uint16_t slot) { return static_cast<voffset_t>(4 + 2 * slot); }

// Personal data on the wire: one byte for the state, then the content.
// -----------------------------

enum class PiiState : char { plain = 0, sealed = 1, erased = 2 };

inline std::string plain_bytes(const std::string& text) { return text; }
inline std::string plain_bytes(const std::vector<std::string>& texts) {
    std::string bytes;
    for (const std::string& text : texts) {
        const auto size = flatbuffers::EndianScalar(static_cast<std::uint32_t>(text.size()));
        bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
        bytes += text;
    }
    return bytes;
}
inline bool from_plain_bytes(std::string_view bytes, std::string& text) {
    text.assign(bytes);
    return true;
}
inline bool from_plain_bytes(std::string_view bytes, std::vector<std::string>& texts) {
    texts.clear();
    while (!bytes.empty()) {
        std::uint32_t size = 0;
        if (bytes.size() < sizeof size) return false;
        std::memcpy(&size, bytes.data(), sizeof size);
        size = flatbuffers::EndianScalar(size);
        bytes.remove_prefix(sizeof size);
        if (bytes.size() < size) return false;
        texts.emplace_back(bytes.substr(0, size));
        bytes.remove_prefix(size);
    }
    return true;
}

template <class T>
std::string pii_bytes(const Pii<T>& personal) {
    if (const Sealed* sealed = personal.sealed())
        return static_cast<char>(PiiState::sealed) + sealed->bytes;
    if (personal.erased()) return std::string(1, static_cast<char>(PiiState::erased));
    return static_cast<char>(PiiState::plain) + plain_bytes(*personal.plain());
}

template <class T>
bool pii_from_bytes(std::string_view bytes, Pii<T>& personal) {
    if (bytes.empty()) return false;
    const auto state = static_cast<PiiState>(bytes.front());
    bytes.remove_prefix(1);
    if (state == PiiState::sealed) {
        personal = Pii<T>(Sealed{std::string(bytes)});
        return true;
    }
    if (state == PiiState::erased) {
        personal = Pii<T>(Erased{});
        return true;
    }
    T plain;
    if (state != PiiState::plain || !from_plain_bytes(bytes, plain)) return false;
    personal = Pii<T>(std::move(plain));
    return true;
}

// Writing: whatever lives outside its table is written first, then the table with offsets to it.
// -----

template <Reflected T>
uoffset_t write_table(FlatBufferBuilder& builder, const T& message);

inline uoffset_t write_outside(FlatBufferBuilder& builder, const std::string& text) {
    return builder.CreateString(text).o;
}
template <Reflected T>
uoffset_t write_outside(FlatBufferBuilder& builder, const T& table) {
    return write_table(builder, table);
}
template <class T>
uoffset_t write_outside(FlatBufferBuilder& builder, const Pii<T>& personal) {
    const std::string bytes = pii_bytes(personal);
    return builder.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size())
        .o;
}
template <class T>
uoffset_t write_outside(FlatBufferBuilder& builder, const std::vector<T>& items) {
    if constexpr (WireStruct<T>) {
        std::vector<typename wire_struct<T>::type> wire;
        wire.reserve(items.size());
        for (const T& item : items) wire.push_back(to_wire(item));
        return builder.CreateVectorOfStructs(wire.data(), wire.size()).o;
    } else if constexpr (WireScalar<T>) {
        std::vector<wire_scalar<T>> wire;
        wire.reserve(items.size());
        for (const T item : items) wire.push_back(scalar_to_wire(item));
        return builder.CreateVector(wire.data(), wire.size()).o;
    } else {
        std::vector<flatbuffers::Offset<void>> offsets;
        offsets.reserve(items.size());
        for (const T& item : items) offsets.emplace_back(write_outside(builder, item));
        return builder.CreateVector(offsets.data(), offsets.size()).o;
    }
}

/// The value of a field that is there, or null: optional, patch and plain fields alike.
template <class T>
const T* present(const T& value) {
    return &value;
}
template <class T>
const T* present(const std::optional<T>& value) {
    return value ? &*value : nullptr;
}
template <class T>
const T* present(const Patch<T>& value) {
    return value.value();
}

template <class T>
inline constexpr bool lives_inside = WireScalar<T> || WireStruct<T>;

template <class FieldType>
using stored_type =
    std::remove_cvref_t<decltype(*present(std::declval<const typename FieldType::value_type&>()))>;

/// An empty list is not written, except where the field is required.
template <class T>
bool is_left_out(const T&, const Rules&) {
    return false;
}
template <class T>
bool is_left_out(const std::vector<T>& items, const Rules& rules) {
    return items.empty() && !rules.required;
}

template <Reflected T>
uoffset_t write_table(FlatBufferBuilder& builder, const T& message) {
    constexpr std::size_t count = std::tuple_size_v<decltype(T::fields())>;
    std::array<uoffset_t, count == 0 ? 1 : count> outside{};
    std::vector<std::uint16_t> cleared;
    std::size_t index = 0;
    for_each_field<T>([&](const auto& field) {
        using FieldType = std::remove_cvref_t<decltype(field)>;
        const auto& member = message.*field.member;
        if constexpr (is_patch<typename FieldType::value_type>::value) {
            if (member.cleared()) cleared.push_back(field.slot);
        }
        if constexpr (!lives_inside<stored_type<FieldType>>) {
            const auto* value = present(member);
            constexpr bool patch = is_patch<typename FieldType::value_type>::value;
            if (value != nullptr && (patch || !is_left_out(*value, field.rules))) {
                outside[index] = write_outside(builder, *value);
            }
        }
        ++index;
    });
    uoffset_t cleared_offset = 0;
    if (!cleared.empty()) cleared_offset = builder.CreateVector(cleared.data(), cleared.size()).o;

    const uoffset_t start = builder.StartTable();
    index = 0;
    for_each_field<T>([&](const auto& field) {
        using FieldType = std::remove_cvref_t<decltype(field)>;
        using Stored = stored_type<FieldType>;
        const voffset_t offset = offset_of(field.slot);
        if constexpr (lives_inside<Stored>) {
            if (const Stored* value = present(message.*field.member)) {
                if constexpr (WireStruct<Stored>) {
                    const auto wire = to_wire(*value);
                    builder.AddStruct(offset, &wire);
                } else if constexpr (std::is_same_v<typename FieldType::value_type, Stored>) {
                    builder.AddElement(offset, scalar_to_wire(*value), wire_scalar<Stored>{});
                } else {
                    builder.AddElement(offset, scalar_to_wire(*value));
                }
            }
        } else if (outside[index] != 0) {
            builder.AddOffset(offset, flatbuffers::Offset<void>(outside[index]));
        }
        ++index;
    });
    if constexpr (requires { T::cleared_slot; }) {
        if (cleared_offset != 0)
            builder.AddOffset(offset_of(T::cleared_slot),
                              flatbuffers::Offset<void>(cleared_offset));
    }
    return builder.EndTable(start);
}

// Verifying: the rules of FlatBuffers' Verifier, for each field by its type.
// ------------------------

template <Reflected T>
bool verify_table(Verifier& verifier, const Table* table);

template <class T>
bool verify_outside(Verifier& verifier, const Table& table, voffset_t offset) {
    if constexpr (std::is_same_v<T, std::string>) {
        return verifier.VerifyString(table.GetPointer<const flatbuffers::String*>(offset));
    } else if constexpr (is_pii<T>::value) {
        return verifier.VerifyVector(
            table.GetPointer<const flatbuffers::Vector<std::uint8_t>*>(offset));
    } else if constexpr (Reflected<T>) {
        return verify_table<T>(verifier, table.GetPointer<const Table*>(offset));
    } else {
        using Item = typename T::value_type;
        if constexpr (WireStruct<Item>) {
            using Wire = typename wire_struct<Item>::type;
            return verifier.VerifyVector(
                table.GetPointer<const flatbuffers::Vector<const Wire*>*>(offset));
        } else if constexpr (WireScalar<Item>) {
            return verifier.VerifyVector(
                table.GetPointer<const flatbuffers::Vector<wire_scalar<Item>>*>(offset));
        } else if constexpr (std::is_same_v<Item, std::string>) {
            const auto* items = table.GetPointer<
                const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>*>(offset);
            return verifier.VerifyVector(items) && verifier.VerifyVectorOfStrings(items);
        } else {
            const auto* items =
                table.GetPointer<const flatbuffers::Vector<flatbuffers::Offset<Table>>*>(offset);
            if (!verifier.VerifyVector(items)) return false;
            if (items == nullptr) return true;
            for (uoffset_t i = 0; i < items->size(); ++i) {
                if (!verify_table<Item>(verifier, items->Get(i))) return false;
            }
            return true;
        }
    }
}

template <Reflected T>
bool verify_table(Verifier& verifier, const Table* table) {
    if (table == nullptr) return true;
    if (!table->VerifyTableStart(verifier)) return false;
    bool good = true;
    for_each_field<T>([&](const auto& field) {
        using FieldType = std::remove_cvref_t<decltype(field)>;
        using Stored = stored_type<FieldType>;
        if (!good) return;
        const voffset_t offset = offset_of(field.slot);
        constexpr bool scalar_in_place = WireScalar<Stored>;
        if constexpr (scalar_in_place) {
            using Wire = wire_scalar<Stored>;
            good = table->VerifyField<Wire>(verifier, offset, alignof(Wire));
        } else {
            if (field.rules.required && !table->CheckField(offset)) {
                good = false;
            } else if constexpr (WireStruct<Stored>) {
                using Wire = typename wire_struct<Stored>::type;
                good = table->VerifyField<Wire>(verifier, offset, alignof(Wire));
            } else {
                good = table->VerifyOffset(verifier, offset) &&
                       verify_outside<Stored>(verifier, *table, offset);
            }
        }
    });
    if constexpr (requires { T::cleared_slot; }) {
        const voffset_t offset = offset_of(T::cleared_slot);
        good = good && table->VerifyOffset(verifier, offset) &&
               verifier.VerifyVector(
                   table->GetPointer<const flatbuffers::Vector<std::uint16_t>*>(offset));
    }
    return good && verifier.EndTable();
}

// Reading: only after verifying.
// -------------------------------------------------------------------

template <Reflected T>
bool read_table(const Table& table, T& message);

inline bool read_outside(const Table& table, voffset_t offset, std::string& text) {
    text = table.GetPointer<const flatbuffers::String*>(offset)->str();
    return true;
}
template <class T>
bool read_outside(const Table& table, voffset_t offset, Pii<T>& personal) {
    const auto* bytes = table.GetPointer<const flatbuffers::Vector<std::uint8_t>*>(offset);
    return pii_from_bytes({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, personal);
}
template <Reflected T>
bool read_outside(const Table& table, voffset_t offset, T& contained) {
    return read_table(*table.GetPointer<const Table*>(offset), contained);
}
template <class T>
bool read_outside(const Table& table, voffset_t offset, std::vector<T>& items) {
    if constexpr (WireStruct<T>) {
        const auto* wire =
            table.GetPointer<const flatbuffers::Vector<const typename wire_struct<T>::type*>*>(
                offset);
        items.resize(wire->size());
        for (uoffset_t i = 0; i < wire->size(); ++i) from_wire(*wire->Get(i), items[i]);
    } else if constexpr (WireScalar<T>) {
        const auto* wire = table.GetPointer<const flatbuffers::Vector<wire_scalar<T>>*>(offset);
        items.reserve(wire->size());
        for (uoffset_t i = 0; i < wire->size(); ++i)
            items.push_back(scalar_from_wire<T>(wire->Get(i)));
    } else if constexpr (std::is_same_v<T, std::string>) {
        const auto* wire =
            table.GetPointer<const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>*>(
                offset);
        items.reserve(wire->size());
        for (uoffset_t i = 0; i < wire->size(); ++i) items.push_back(wire->Get(i)->str());
    } else {
        const auto* wire =
            table.GetPointer<const flatbuffers::Vector<flatbuffers::Offset<Table>>*>(offset);
        items.resize(wire->size());
        for (uoffset_t i = 0; i < wire->size(); ++i) {
            if (!read_table(*wire->Get(i), items[i])) return false;
        }
    }
    return true;
}

template <class T>
T& emplaced(T& value) {
    return value;
}
template <class T>
T& emplaced(std::optional<T>& value) {
    return value.emplace();
}
template <class T>
T& emplaced(Patch<T>& value) {
    value = Patch<T>::set(T{});
    return *value.value();
}

/// An enum value that this version does not know cannot be shown or matched: the bytes are refused.
template <class Stored>
bool is_known(const Stored& value) {
    if constexpr (NamedEnum<Stored>) {
        return static_cast<std::size_t>(value) < enum_names(value).size();
    } else {
        return true;
    }
}

template <Reflected T>
bool read_table(const Table& table, T& message) {
    bool good = true;
    for_each_field<T>([&](const auto& field) {
        using FieldType = std::remove_cvref_t<decltype(field)>;
        using Stored = stored_type<FieldType>;
        const voffset_t offset = offset_of(field.slot);
        auto& member = message.*field.member;
        if (!good || !table.CheckField(offset)) return;
        if constexpr (WireScalar<Stored>) {
            const Stored value =
                scalar_from_wire<Stored>(table.GetField<wire_scalar<Stored>>(offset, {}));
            emplaced(member) = value;
            good = is_known(value);
        } else if constexpr (WireStruct<Stored>) {
            from_wire(*table.GetStruct<const typename wire_struct<Stored>::type*>(offset),
                      emplaced(member));
        } else {
            good = read_outside(table, offset, emplaced(member));
        }
    });
    if constexpr (requires { T::cleared_slot; }) {
        const voffset_t offset = offset_of(T::cleared_slot);
        const auto* cleared = table.GetPointer<const flatbuffers::Vector<std::uint16_t>*>(offset);
        for (uoffset_t i = 0; cleared != nullptr && i < cleared->size(); ++i) {
            for_each_field<T>([&](const auto& field) {
                using Member = typename std::remove_cvref_t<decltype(field)>::value_type;
                if constexpr (is_patch<Member>::value) {
                    if (field.slot == cleared->Get(i)) message.*field.member = Member::clear();
                }
            });
        }
    }
    return good;
}

/// FlatBuffers reads 8-byte values in place: the bytes of a record or a row are copied to an
/// aligned buffer.
class AlignedCopy {
  public:
    explicit AlignedCopy(std::string_view bytes) {
        if (bytes.size() <= sizeof small_) {
            data_ = reinterpret_cast<std::uint8_t*>(small_);
        } else {
            large_.resize((bytes.size() + 7) / 8);
            data_ = reinterpret_cast<std::uint8_t*>(large_.data());
        }
        std::memcpy(data_, bytes.data(), bytes.size());
    }
    [[nodiscard]] const std::uint8_t* data() const { return data_; }

  private:
    std::uint64_t small_[128];
    std::vector<std::uint64_t> large_;
    std::uint8_t* data_;
};

}  // namespace codec

template <Reflected T>
std::string encode(const T& message) {
    thread_local flatbuffers::FlatBufferBuilder builder(1024);
    builder.Clear();
    builder.Finish(flatbuffers::Offset<void>(codec::write_table(builder, message)));
    return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

template <Reflected T>
Result<T> decode(std::string_view bytes) {
    static constexpr flatbuffers::uoffset_t depth_max = 16;
    static constexpr flatbuffers::uoffset_t tables_max = 100'000;
    if (bytes.size() < 8 || bytes.size() > (1U << 30)) {
        return fail(Code::corrupt,
                    std::string(T::type_name) + ": not a FlatBuffer of a possible size");
    }
    const codec::AlignedCopy copy(bytes);
    flatbuffers::Verifier verifier(copy.data(), bytes.size(), depth_max, tables_max);
    const auto root = flatbuffers::GetRoot<flatbuffers::Table>(copy.data());
    const bool sound = verifier.VerifyOffset(0) != 0 && codec::verify_table<T>(verifier, root);
    T message;
    if (!sound || !codec::read_table(*root, message)) {
        return fail(Code::corrupt, std::string(T::type_name) + ": the bytes break the schema");
    }
    return message;
}

template <class Variant>
Result<Variant> decode_numbered(std::uint16_t number, std::string_view payload) {
    Result<Variant> result =
        fail(Code::not_found, "no event has the number " + std::to_string(number));
    [&]<class... Ts>(std::type_identity<std::variant<Ts...>>) {
        const auto attempt = [&]<class T>() {
            if (T::number != number) return false;
            if (auto decoded = decode<T>(payload)) {
                result = Variant(*std::move(decoded));
            } else {
                result = std::unexpected(decoded.error());
            }
            return true;
        };
        static_cast<void>((attempt.template operator()<Ts>() || ...));
    }(std::type_identity<Variant>{});
    return result;
}

}  // namespace bos
