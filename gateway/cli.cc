#include "gateway/cli.h"

#include <fmt/format.h>

#include <cstdio>

namespace bos::gateway {

Result<std::vector<TenantId>> tenants_asked(const eventstore::EventLog& log,
                                            const std::string& name) {
    if (name.empty()) return log.tenants();
    const auto tenant = TenantId::parse(name);
    if (!tenant) return fail(Code::invalid, "a tenant is 1 to 63 of a-z, 0-9 and -");
    BOS_TRY(const eventstore::Head head, log.head(*tenant));
    if (head.position.value == 0)
        return fail(Code::not_found, fmt::format("no tenant {} in this log", name));
    return std::vector{*tenant};
}

int report(const Error& error) {
    fmt::print(stderr, "bos: {}\n", error.detail);
    return 1;
}

}  // namespace bos::gateway
