// SPDX-License-Identifier: Apache-2.0
// What is done with an awaited value: named, bound, passed on, returned.
#include <string>
#include <tuple>
#include <vector>

#include "compiler/probe.hpp"

namespace {

using namespace probe;

struct aggregate {
    std::string name;
    witness held;
};

task<std::tuple<int, std::string, witness>> three() {
    co_await suspend();
    std::tuple<int, std::string, witness> t(1, std::string(60, 'y'), witness(2));
    co_return t;
}
task<aggregate> returns_name() {
    auto w = co_await made(3);
    std::string name(50, 'z');
    aggregate result{std::move(name), std::move(w)};
    co_return result;
}
task<int> doubled(int n) {
    co_await suspend();
    const int d = 2 * n;
    co_return d;
}

task<void> named() {
    auto w = co_await made(1);
    const witness copy = w;
    check(copy.value() == 1, "auto x = co_await", "wrong value");
    co_await made(2);  // the value is dropped
}
task<void> structured_binding() {
    auto [n, t, w] = co_await three();
    check(n == 1 && t.size() == 60 && w.value() == 2, "structured binding", "wrong value");
}
task<void> pushed_back() {
    std::vector<witness> list;
    for (int i = 0; i < 20; ++i)
        list.push_back(co_await made(i));
    check(list.size() == 20 && list[7].value() == 7, "push_back(co_await)", "wrong value");
}
task<void> nested() {
    auto n = co_await doubled(co_await number(21));
    check(n == 42, "f(co_await g())", "wrong value");
}
task<void> concatenated() {
    const std::string whole = std::string(40, 'x') + co_await text("tail") + "end";
    check(whole.size() > 80 && whole.substr(whole.size() - 3) == "end", "string + co_await",
          "wrong");
}
task<void> returned() {
    auto a = co_await returns_name();
    check(a.name.size() == 50 && a.held.value() == 3, "co_return of a name", "wrong value");
}
task<void> assigned() {
    witness w(0);
    for (int i = 1; i <= 3; ++i) {
        w = co_await made(i);
        check(w.value() == i, "assignment of an awaited value", "wrong value");
    }
}

}  // namespace

int main() {
    run("named", named());
    run("structured binding", structured_binding());
    run("push_back", pushed_back());
    run("nested", nested());
    run("concatenated", concatenated());
    run("returned", returned());
    run("assigned", assigned());
    return verdict("values");
}
