#pragma once

#include "bench/options.h"

#include <boost/json/array.hpp>

namespace bos::bench {

// Each adds its figures. One file each.
void log_append(const Options& options, boost::json::array& figures);
void commands_in_process(const Options& options, boost::json::array& figures);
void commands_http(const Options& options, boost::json::array& figures);
void reads_http(const Options& options, boost::json::array& figures);
void reads_past(const Options& options, boost::json::array& figures);
void rebuild(const Options& options, boost::json::array& figures);
void kafka_append(const Options& options, boost::json::array& figures);
void kafka_fill(const Options& options, boost::json::array& figures);
void kafka_commands(const Options& options, boost::json::array& figures);
void kafka_tenants(const Options& options, boost::json::array& figures);
void takeover(const Options& options, boost::json::array& figures);
void peers(const Options& options, boost::json::array& figures);
void opening(const Options& options, boost::json::array& figures);
void size(const Options& options, boost::json::array& figures);
void log_verify(const Options& options, boost::json::array& figures);

}  // namespace bos::bench
