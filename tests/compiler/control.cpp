// SPDX-License-Identifier: Apache-2.0
// co_await inside the language's control flow.
#include <stdexcept>
#include <string>
#include <vector>

#include "compiler/probe.hpp"

namespace {

using namespace probe;

task<bool> truth(bool b) {
    co_await suspend();
    co_return b;
}
task<std::vector<witness>> some(int n) {
    co_await suspend();
    std::vector<witness> list;
    for (int i = 0; i < n; ++i)
        list.emplace_back(i);
    co_return list;
}

task<void> if_with_initialiser() {
    int seen = 0;
    if (auto w = co_await made(5); w.value() == 5) seen = w.value();
    check(seen == 5, "if (auto x = co_await; ...)", "wrong branch");
}
task<void> range_for() {
    int sum = 0;
    for (const witness& w : co_await some(10))
        sum += w.value();
    check(sum == 45, "for (x : co_await)", "wrong value, or the range was gone");
}
task<void> scalar_conditional() {
    const bool yes = co_await truth(true);
    const int n = yes ? co_await number(1) : 2;
    const int m = !yes ? co_await number(1) : 2;
    check(n == 1 && m == 2, "scalar ?:", "wrong branch");
}
task<void> short_circuit() {
    int asked = 0;
    if (co_await truth(false) && ++asked > 0) asked += 10;
    if (co_await truth(true) || ++asked > 0) asked += 100;
    check(asked == 100, "&& and ||", "the right side ran");
}
task<void> loops() {
    int n = 0;
    while (co_await truth(n < 5))
        ++n;
    do
        ++n;
    while (co_await truth(n < 10));
    check(n == 10, "while and do", "wrong count");
}
task<void> switched() {
    std::string where;
    switch (co_await number(2)) {
    case 1: where = "one"; break;
    case 2: {
        const std::string long_one = co_await text("two");
        where = long_one.substr(0, 3);
        break;
    }
    default: where = "other";
    }
    check(where == "two", "switch", "wrong case");
}
task<void> after_a_catch() {
    bool failed = false;
    try {
        auto w = co_await made(1);
        if (w.value() == 1) throw std::runtime_error(std::string(60, 'x'));
    } catch (const std::exception&) {
        failed = true;  // co_await is not allowed here: leave first
    }
    if (failed) co_await suspend();
    check(failed, "throw across a suspension", "not caught");
}
task<void> hoisted_class_conditional() {
    witness chosen(0);
    if (co_await truth(true)) chosen = co_await made(7);
    check(chosen.value() == 7, "class-type choice by if", "wrong value");
}

}  // namespace

int main() {
    run("if with initialiser", if_with_initialiser());
    run("range for", range_for());
    run("scalar conditional", scalar_conditional());
    run("short circuit", short_circuit());
    run("loops", loops());
    run("switch", switched());
    run("after a catch", after_a_catch());
    run("class conditional by if", hoisted_class_conditional());
    return verdict("control");
}
