// One of each kind that the checks must name.
#include <chrono>
#include <cstdlib>
#include <thread>
#include <unordered_map>

#include "absl/container/flat_hash_map.h"
#include "net_real/clock.h"
#include "sim/plan/plan.h"

double half = 0.5;
std::unordered_map<int, int> table;
int Roll() { return std::uniform_int_distribution<int>(1, 6)(engine); }
const char* Home() { return std::getenv("HOME"); }
