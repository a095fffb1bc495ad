// Filters: whatever the text, a filter or a refusal that says where.
#include "projections/filter.h"
#include "projections/views.h"
#include "schemas/base/arbitrary.h"
#include "tests/fuzz/check.h"

using bos::fuzz::always;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const bos::projections::FilterContext context{.now = bos::from_micros(1'800'000'000'000'000),
                                                  .me = {}};
    const auto filter = bos::projections::RowFilter<bos::leads::Lead>::parse(
        bos::fuzz::text_of(data, size), context);
    if (!filter) {
        always(filter.error().code == bos::Code::invalid, "a filter that is none is invalid");
        always(!filter.error().detail.empty(), "and says why");
        return 0;
    }
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
        const auto row = bos::arbitrary_of<bos::leads::Lead>(seed, bos::PiiStates::any);
        always(filter->matches(row) == filter->matches(row), "a filter is a function of its row");
    }
    return 0;
}
