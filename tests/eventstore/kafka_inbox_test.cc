#include "eventstore/kafka_inbox.h"

#include "tests/eventstore/answers.h"
#include "tests/eventstore/records.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

// Where other threads meet the engine's thread. ThreadSanitizer runs this; it cannot run
// librdkafka, whose threads it does not know (thrd_create).

namespace bos::eventstore {

using namespace test;

TEST_CASE("what many threads hand over is taken once, in the order of each, and answered") {
    KafkaInbox inbox({.records_max = 64, .bytes_max = 64 * 1024 * 1024});
    std::thread engine([&] {
        bool expects_news = false;
        for (bool stopping = false; !stopping;) {
            expects_news = !expects_news;
            KafkaInbox::Mail mail = inbox.take({}, expects_news);
            stopping = mail.stopping;
            KafkaBurst burst;
            for (KafkaAppendPtr& append : mail.appends) {
                if (append->refusal) {
                    Error why = *append->refusal;
                    burst.refuse(std::move(append), std::move(why));
                } else {
                    const Head head = append->record->index.head();
                    burst.answer(std::move(append), head);
                }
            }
            inbox.answered(burst.answers);
            for (auto& answer : burst.answers) answer.append->done(std::move(answer.outcome));
        }
        for (const KafkaAppendPtr& append : inbox.close().appends) {
            append->done(std::unexpected(append->refusal.value()));
        }
    });
    std::atomic<int> wrong = 0;

    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&, i] {
                Chain chain(tenant(fmt::format("tenant-{}", i)));
                for (int round = 0; round < 20; ++round) {
                    Answers answers;
                    std::vector<Head> heads;
                    for (int k = 0; k < 40; ++k) {
                        inbox.append(chain.next(), answers.done());
                        heads.push_back(chain.head());
                    }
                    const auto outcomes = answers.wait_for(40);
                    for (std::size_t k = 0; k < 40; ++k) {
                        // 64 places for 160 appends at once: some are refused.
                        const bool full = code(outcomes[k]) == Code::unavailable;
                        if (!full && outcomes[k] != Result<Head>(heads[k])) ++wrong;
                    }
                }
            });
        }
        threads.emplace_back([&] {
            for (int i = 0; i < 1000; ++i) inbox.wake();
        });
    }
    inbox.stop();
    engine.join();
    CHECK_EQ(wrong, 0);
    Chain late(tenant("late"));
    Answers answers;
    inbox.append(late.next(), answers.done());
    inbox.append("no record", answers.done());
    CHECK_EQ(code(answers.wait_for(2)[0]), Code::unavailable);
    CHECK_EQ(code(answers.wait_for(2)[1]), Code::invalid);
}

}  // namespace bos::eventstore
