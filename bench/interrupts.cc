#include "bench/interrupts.h"

#include <csignal>
#include <thread>
#include <unistd.h>

namespace bos::bench {

void remove_when_interrupted(const std::filesystem::path& folder) {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::thread([signals, folder] {
        int signal = 0;
        sigwait(&signals, &signal);
        // Others still write there: what comes between two looks goes with the second.
        std::error_code ignored;
        for (int look = 0; look < 2; ++look) std::filesystem::remove_all(folder, ignored);
        ::_exit(128 + signal);
    }).detach();
}

}  // namespace bos::bench
