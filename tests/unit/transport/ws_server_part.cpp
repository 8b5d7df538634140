// SPDX-License-Identifier: Apache-2.0
// The scripted server, compiled into this test program.
#include "support/ws_server.cpp"
