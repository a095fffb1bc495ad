// Generated from schemas/tiny.fbs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "schemas/base/field.h"
#include "schemas/base/message.h"
#include "schemas/base/position.h"
#include "schemas/base/rejection.h"
#include "schemas/base/types.h"

namespace bos::tiny {

struct BoxTag;
using BoxId = Id<BoxTag>;

/// Kinds of streams.
enum class Aggregate : std::uint16_t {
    none,
    box,
};
inline constexpr std::array<std::string_view, 2> names_of_Aggregate{{
    "none",
    "box",
}};
constexpr std::span<const std::string_view> enum_names(Aggregate) { return names_of_Aggregate; }

/// Why not.
enum class Rejection : std::uint8_t {
    box_not_found,  ///< 404: There is no such box.
    box_full,  ///< 409: The box is full.
};
inline constexpr std::array<std::string_view, 2> names_of_Rejection{{
    "box_not_found",
    "box_full",
}};
constexpr std::span<const std::string_view> enum_names(Rejection) { return names_of_Rejection; }

inline constexpr std::array<RejectionInfo, 2> rejection_infos{{
    {"box_not_found", 404, "There is no such box."},
    {"box_full", 409, "The box is full."},
}};
constexpr const RejectionInfo& info_of(Rejection rejection) {
    return rejection_infos[static_cast<std::size_t>(rejection)];
}

enum class Size : std::uint8_t {
    small,  ///< Fits a hand.
    large,
};
inline constexpr std::array<std::string_view, 2> names_of_Size{{
    "small",
    "large",
}};
constexpr std::span<const std::string_view> enum_names(Size) { return names_of_Size; }

/// What can be said about a box.
struct Label {
    std::string text{};
    std::optional<std::string> code{};
    std::optional<Pii<std::string>> keeper{};
    std::optional<Pii<std::vector<std::string>>> contacts{};
    std::optional<Size> size{};
    std::optional<Money> price{};

    static constexpr std::string_view type_name = "Label";
    static constexpr auto fields() {
        return std::tuple{
            Field<Label, std::string>{"text", &Label::text, 0, Rules{.required = true, .min_length = 1, .max_length = 20}, ""},
            Field<Label, std::optional<std::string>>{"code", &Label::code, 1, Rules{.format = Format::slug}, ""},
            Field<Label, std::optional<Pii<std::string>>>{"keeper", &Label::keeper, 2, Rules{.max_length = 40}, ""},
            Field<Label, std::optional<Pii<std::vector<std::string>>>>{"contacts", &Label::contacts, 3, Rules{.max_items = 2, .format = Format::email}, ""},
            Field<Label, std::optional<Size>>{"size", &Label::size, 4, Rules{}, ""},
            Field<Label, std::optional<Money>>{"price", &Label::price, 5, Rules{}, ""}};
    }
    friend bool operator==(const Label&, const Label&) = default;
};

/// A box as it stands.
struct Box {
    BoxId id{};
    Label label{};
    Size size{};
    std::string raw{};
    std::vector<Label> items{};

    static constexpr std::string_view type_name = "Box";
    static constexpr auto fields() {
        return std::tuple{
            Field<Box, BoxId>{"id", &Box::id, 0, Rules{.required = true}, ""},
            Field<Box, Label>{"label", &Box::label, 1, Rules{.required = true, .flat = true}, ""},
            Field<Box, Size>{"size", &Box::size, 2, Rules{.required = true}, ""},
            Field<Box, std::string>{"raw", &Box::raw, 3, Rules{.required = true, .json = true}, ""},
            Field<Box, std::vector<Label>>{"items", &Box::items, 4, Rules{}, ""}};
    }
    friend bool operator==(const Box&, const Box&) = default;
};

/// A box was put somewhere.
struct BoxPlaced {
    BoxId box{};
    Label label{};
    std::vector<std::uint32_t> weights{};
    Timestamp placed_at{};
    bool fragile{};

    static constexpr std::string_view type_name = "BoxPlaced";
    static constexpr std::string_view wire_name = "tiny.box-placed.v1";
    static constexpr std::uint16_t number = 7;
    static constexpr std::uint16_t schema_version = 1;
    static constexpr std::uint16_t aggregate = 1;
    static constexpr std::string_view aggregate_name = "box";
    [[nodiscard]] StreamId stream() const { return StreamId{aggregate, box.value()}; }
    static constexpr auto fields() {
        return std::tuple{
            Field<BoxPlaced, BoxId>{"box", &BoxPlaced::box, 0, Rules{.required = true, .target = true}, ""},
            Field<BoxPlaced, Label>{"label", &BoxPlaced::label, 1, Rules{.required = true, .flat = true}, ""},
            Field<BoxPlaced, std::vector<std::uint32_t>>{"weights", &BoxPlaced::weights, 2, Rules{}, ""},
            Field<BoxPlaced, Timestamp>{"placed_at", &BoxPlaced::placed_at, 3, Rules{}, ""},
            Field<BoxPlaced, bool>{"fragile", &BoxPlaced::fragile, 4, Rules{}, ""}};
    }
    friend bool operator==(const BoxPlaced&, const BoxPlaced&) = default;
};

struct LabelChange {
    Patch<std::string> text{};
    Patch<std::string> code{};
    Patch<Pii<std::string>> keeper{};
    Patch<Pii<std::vector<std::string>>> contacts{};
    Patch<Size> size{};
    Patch<Money> price{};

    static constexpr std::string_view type_name = "LabelChange";
    static constexpr std::uint16_t cleared_slot = 6;
    static constexpr auto fields() {
        return std::tuple{
            Field<LabelChange, Patch<std::string>>{"text", &LabelChange::text, 0, Rules{.min_length = 1, .max_length = 20}, ""},
            Field<LabelChange, Patch<std::string>>{"code", &LabelChange::code, 1, Rules{.format = Format::slug}, ""},
            Field<LabelChange, Patch<Pii<std::string>>>{"keeper", &LabelChange::keeper, 2, Rules{.max_length = 40}, ""},
            Field<LabelChange, Patch<Pii<std::vector<std::string>>>>{"contacts", &LabelChange::contacts, 3, Rules{.max_items = 2, .format = Format::email}, ""},
            Field<LabelChange, Patch<Size>>{"size", &LabelChange::size, 4, Rules{}, ""},
            Field<LabelChange, Patch<Money>>{"price", &LabelChange::price, 5, Rules{}, ""}};
    }
    friend bool operator==(const LabelChange&, const LabelChange&) = default;
};

/// A label changed.
struct BoxRelabelled {
    BoxId box{};
    LabelChange changes{};

    static constexpr std::string_view type_name = "BoxRelabelled";
    static constexpr std::string_view wire_name = "tiny.box-relabelled.v2";
    static constexpr std::uint16_t number = 8;
    static constexpr std::uint16_t schema_version = 2;
    static constexpr std::uint16_t aggregate = 1;
    static constexpr std::string_view aggregate_name = "box";
    [[nodiscard]] StreamId stream() const { return StreamId{aggregate, box.value()}; }
    static constexpr auto fields() {
        return std::tuple{
            Field<BoxRelabelled, BoxId>{"box", &BoxRelabelled::box, 0, Rules{.required = true, .target = true}, ""},
            Field<BoxRelabelled, LabelChange>{"changes", &BoxRelabelled::changes, 1, Rules{.required = true, .flat = true}, ""}};
    }
    friend bool operator==(const BoxRelabelled&, const BoxRelabelled&) = default;
};

/// One box.
struct GetBox {
    BoxId box{};
    std::optional<std::uint32_t> depth{};  ///< How much to show.

    static constexpr std::string_view type_name = "GetBox";
    static constexpr std::string_view wire_name = "tiny.get-box";
    static constexpr std::string_view method = "GET";
    static constexpr std::string_view path = "/v1/boxes/{box}";
    static constexpr std::string_view permission = "tiny:box:read";
    using Answer = Box;
    static constexpr auto fields() {
        return std::tuple{
            Field<GetBox, BoxId>{"box", &GetBox::box, 0, Rules{.required = true}, ""},
            Field<GetBox, std::optional<std::uint32_t>>{"depth", &GetBox::depth, 1, Rules{.min = 1, .max = 9}, "How much to show."}};
    }
    friend bool operator==(const GetBox&, const GetBox&) = default;
};

/// Put a box "somewhere".
struct PlaceBox {
    BoxId box{};
    Label label{};
    std::vector<std::uint32_t> weights{};
    std::optional<UserId> keeper_id{};

    static constexpr std::string_view type_name = "PlaceBox";
    static constexpr std::string_view wire_name = "tiny.place-box";
    static constexpr std::string_view method = "POST";
    static constexpr std::string_view path = "/v1/boxes";
    static constexpr std::string_view permission = "tiny:box:create";
    static constexpr bool creates = true;
    static constexpr std::uint16_t aggregate = 1;
    static constexpr std::string_view aggregate_name = "box";
    [[nodiscard]] StreamId stream() const { return StreamId{aggregate, box.value()}; }
    void set_target(const Uuid& id) { box = BoxId(id); }
    static constexpr auto fields() {
        return std::tuple{
            Field<PlaceBox, BoxId>{"box", &PlaceBox::box, 0, Rules{.required = true, .target = true}, ""},
            Field<PlaceBox, Label>{"label", &PlaceBox::label, 1, Rules{.required = true, .flat = true}, ""},
            Field<PlaceBox, std::vector<std::uint32_t>>{"weights", &PlaceBox::weights, 2, Rules{.max_items = 3, .max = 1000}, ""},
            Field<PlaceBox, std::optional<UserId>>{"keeper_id", &PlaceBox::keeper_id, 3, Rules{}, ""}};
    }
    friend bool operator==(const PlaceBox&, const PlaceBox&) = default;
};

/// Change a label.
struct RelabelBox {
    BoxId box{};
    LabelChange changes{};

    static constexpr std::string_view type_name = "RelabelBox";
    static constexpr std::string_view wire_name = "tiny.relabel-box";
    static constexpr std::string_view method = "PATCH";
    static constexpr std::string_view path = "/v1/boxes/{box}";
    static constexpr std::string_view permission = "tiny:box:update";
    static constexpr bool creates = false;
    static constexpr std::uint16_t aggregate = 1;
    static constexpr std::string_view aggregate_name = "box";
    [[nodiscard]] StreamId stream() const { return StreamId{aggregate, box.value()}; }
    static constexpr auto fields() {
        return std::tuple{
            Field<RelabelBox, BoxId>{"box", &RelabelBox::box, 0, Rules{.required = true, .target = true}, ""},
            Field<RelabelBox, LabelChange>{"changes", &RelabelBox::changes, 1, Rules{.required = true, .flat = true}, ""}};
    }
    friend bool operator==(const RelabelBox&, const RelabelBox&) = default;
};

using Events = types<BoxPlaced, BoxRelabelled>;
using Event = std::variant<BoxPlaced, BoxRelabelled>;
using Commands = types<PlaceBox, RelabelBox>;
using Command = std::variant<PlaceBox, RelabelBox>;
using Queries = types<GetBox>;
using Tables = types<Label, Box, BoxPlaced, LabelChange, BoxRelabelled, GetBox, PlaceBox, RelabelBox>;

}  // namespace bos::tiny

namespace bos {

extern template std::string encode<tiny::Label>(const tiny::Label&);
extern template Result<tiny::Label> decode<tiny::Label>(std::string_view);
extern template void append_json<tiny::Label>(std::string&, const tiny::Label&, ShowPii);
extern template std::string encode<tiny::Box>(const tiny::Box&);
extern template Result<tiny::Box> decode<tiny::Box>(std::string_view);
extern template void append_json<tiny::Box>(std::string&, const tiny::Box&, ShowPii);
extern template std::string encode<tiny::BoxPlaced>(const tiny::BoxPlaced&);
extern template Result<tiny::BoxPlaced> decode<tiny::BoxPlaced>(std::string_view);
extern template void append_json<tiny::BoxPlaced>(std::string&, const tiny::BoxPlaced&, ShowPii);
extern template std::string encode<tiny::LabelChange>(const tiny::LabelChange&);
extern template Result<tiny::LabelChange> decode<tiny::LabelChange>(std::string_view);
extern template void append_json<tiny::LabelChange>(std::string&, const tiny::LabelChange&, ShowPii);
extern template std::string encode<tiny::BoxRelabelled>(const tiny::BoxRelabelled&);
extern template Result<tiny::BoxRelabelled> decode<tiny::BoxRelabelled>(std::string_view);
extern template void append_json<tiny::BoxRelabelled>(std::string&, const tiny::BoxRelabelled&, ShowPii);
extern template std::string encode<tiny::GetBox>(const tiny::GetBox&);
extern template Result<tiny::GetBox> decode<tiny::GetBox>(std::string_view);
extern template void append_json<tiny::GetBox>(std::string&, const tiny::GetBox&, ShowPii);
extern template std::string encode<tiny::PlaceBox>(const tiny::PlaceBox&);
extern template Result<tiny::PlaceBox> decode<tiny::PlaceBox>(std::string_view);
extern template void append_json<tiny::PlaceBox>(std::string&, const tiny::PlaceBox&, ShowPii);
extern template std::string encode<tiny::RelabelBox>(const tiny::RelabelBox&);
extern template Result<tiny::RelabelBox> decode<tiny::RelabelBox>(std::string_view);
extern template void append_json<tiny::RelabelBox>(std::string&, const tiny::RelabelBox&, ShowPii);
extern template Result<tiny::Event> decode_numbered<tiny::Event>(std::uint16_t, std::string_view);

}  // namespace bos

namespace bos::tiny {

/// The module's part of the OpenAPI document: an object with paths and schemas.
[[nodiscard]] std::string_view openapi_fragment();
[[nodiscard]] std::string_view asyncapi_fragment();

}  // namespace bos::tiny
