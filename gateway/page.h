#pragma once

#include "gateway/router.h"

namespace bos::gateway {

/// The built-in page at / with its script and style. It needs no credential; what it shows it asks
/// for with the one that a person enters.
void add_page(Router& router);

}  // namespace bos::gateway
