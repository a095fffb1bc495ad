#pragma once

#include "eventstore/key_store.h"
#include "schemas/base/assert.h"
#include "schemas/base/codec.h"
#include "schemas/base/pii_fields.h"
#include "schemas/base/result.h"

#include <string>
#include <string_view>

namespace bos::eventstore {

/// Seals every plain personal field of an event of `subject`. Errors: those of the key store.
template <Reflected Event>
[[nodiscard]] Result<void> seal_fields(Event& event, const FieldSealer& sealer,
                                       const TenantId& tenant, const StreamId& subject) {
    Result<void> result;
    for_each_pii(event, [&]<class T>(std::string_view field, Pii<T>& personal) {
        if (!result || personal.plain() == nullptr) return;
        auto sealed = sealer.seal(tenant, subject, field, codec::plain_bytes(*personal.plain()));
        if (sealed) {
            personal = Pii<T>(Sealed{*std::move(sealed)});
        } else {
            result = std::unexpected(std::move(sealed).error());
        }
    });
    return result;
}

/// Opens every sealed personal field; those whose key was destroyed become erased. Errors: corrupt.
template <Reflected Message>
[[nodiscard]] Result<void> open_fields(Message& message, const FieldSealer& sealer,
                                       const TenantId& tenant, const StreamId& subject) {
    Result<void> result;
    for_each_pii(message, [&]<class T>(std::string_view field, Pii<T>& personal) {
        if (!result || personal.sealed() == nullptr) return;
        auto opened = sealer.open(tenant, subject, field, personal.sealed()->bytes);
        T plain;
        if (opened && codec::from_plain_bytes(*opened, plain)) {
            personal = Pii<T>(std::move(plain));
        } else if (opened) {
            result = fail(Code::corrupt, "a sealed field opens to what no field can hold");
        } else if (opened.error().code == Code::not_found) {
            personal = Pii<T>(Erased{});
        } else {
            result = std::unexpected(std::move(opened).error());
        }
    });
    return result;
}

}  // namespace bos::eventstore
