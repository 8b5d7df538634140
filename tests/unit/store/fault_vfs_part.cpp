// SPDX-License-Identifier: Apache-2.0
// A disk that fails on demand, compiled into this program.
#include "support/fault_vfs.cpp"
