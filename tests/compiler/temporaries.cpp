// SPDX-License-Identifier: Apache-2.0
// Arguments of an awaited call: temporaries of classes with constructors, and lambdas and
// aggregates hoisted into a name.
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "compiler/probe.hpp"

namespace {

using namespace probe;

struct with_constructor {
    std::string name;
    witness held;
    with_constructor(std::string n, int v) : name(std::move(n)), held(v) {}
};
struct aggregate {
    std::string name;
    witness held;
};
const std::string long_text = "a text that is too long for the small string optimisation";

template <class T>
task<T> back(T value) {
    co_await suspend();
    T out = std::move(value);
    co_return out;
}
task<std::size_t> length(const std::string& t) {
    const std::size_t n = t.size();
    co_await suspend();
    co_return n;
}
task<int> call(std::function<int()> f) {
    co_await suspend();
    const int n = f();
    co_return n;
}
task<int> with_default(int n, std::string t = std::string(100, 'x')) {
    co_await suspend();
    const int sum = n + static_cast<int>(t.size());
    co_return sum;
}

task<void> strings() {
    auto a = co_await back(std::string(100, 'x'));
    check(a.size() == 100, "string temporary", "wrong value");
    auto n = co_await length(long_text + a);
    check(n == long_text.size() + 100, "string concatenation by const&", "wrong value");
}
task<void> pointers() {
    auto s = co_await back(std::make_shared<witness>(3));
    check(s->value() == 3 && s.use_count() == 1, "shared_ptr temporary", "wrong value or count");
    auto u = co_await back(std::make_unique<witness>(4));
    check(u->value() == 4, "unique_ptr temporary", "wrong value");
}
task<void> wrappers() {
    auto p = co_await back(std::pair<std::string, witness>(long_text, witness(5)));
    check(p.second.value() == 5 && p.first == long_text, "pair temporary", "wrong value");
    auto o = co_await back(std::optional<witness>(witness(6)));
    check(o && o->value() == 6, "optional temporary", "wrong value");
    auto v = co_await back(std::variant<int, witness>(witness(7)));
    check(std::get<1>(v).value() == 7, "variant temporary", "wrong value");
}
task<void> constructed() {
    auto c = co_await back(with_constructor(long_text, 8));
    check(c.held.value() == 8 && c.name == long_text, "class with a constructor", "wrong value");
}
task<void> defaults() {
    auto n = co_await with_default(1);
    check(n == 101, "default argument", "wrong value");
}
task<void> named_lambda() {
    witness w(9);
    auto f = [w] { return w.value(); };
    std::function<int()> g = f;
    auto a = co_await call(std::move(g));
    auto b = co_await call(f);
    check(a == 9 && b == 9, "lambda hoisted into a name", "wrong value");
}
task<void> reference_lambda() {
    int n = 10;
    auto f = [&n] { return n; };
    auto a = co_await call(std::ref(f));
    check(a == 10, "lambda of references", "wrong value");
}
task<void> named_aggregate() {
    aggregate x{long_text, witness(11)};
    auto y = co_await back(std::move(x));
    check(y.held.value() == 11 && y.name == long_text, "aggregate hoisted into a name", "wrong");
    std::vector<witness> list;
    list.emplace_back(12);
    list.emplace_back(13);
    auto z = co_await back(std::move(list));
    check(z.size() == 2 && z[1].value() == 13, "vector hoisted into a name", "wrong value");
}

}  // namespace

int main() {
    run("strings", strings());
    run("pointers", pointers());
    run("wrappers", wrappers());
    run("constructed", constructed());
    run("defaults", defaults());
    run("named lambda", named_lambda());
    run("lambda of references", reference_lambda());
    run("named aggregate", named_aggregate());
    return verdict("temporaries");
}
