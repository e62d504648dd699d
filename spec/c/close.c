/* close.c - a host that is closed in the middle of everything: nothing of what
 * its tasks wait for may outlive them, or be told of to tasks that are gone. */
#include <string.h>

#include "spec/c/machine.h"

static const char text[] =
  "local neap, net = require 'neap', require 'neap.net'\n"
  "local timer = require 'neap.timer'\n"
  "local server = net.listen('127.0.0.1:0', function(c) c:read() end)\n"
  "local events = net.listen('127.0.0.1:0', {\n"
  "  line = function() timer.sleep(100) end })\n"
  "local one = net.connect(events.address)\n"
  "one:write 'x\\n'\n"
  "timer.every(0.001, function() timer.sleep(10) end)\n"
  "for _ = 1, 5 do\n"
  "  local conn = net.connect(server.address)\n"
  "  neap.go(function() conn:read() end)\n"
  "end\n"
  "local big = net.connect(server.address)\n"
  "reached = true\n"
  "neap.group(function(group)\n"
  "  group:go(timer.sleep, 100)\n"
  "  group:go(function() big:write(('x'):rep(10000000)) end)\n"
  "  timer.sleep(100)\n"
  "end)\n";

static bool has_reached(struct host *host) {
  lua_getglobal(host->L, "reached");
  bool reached = lua_toboolean(host->L, -1);
  lua_pop(host->L, 1);
  return reached;
}

/* As loop_run, but it ends while tasks wait. */
static void turn(struct host *host) {
  loop_dispatch(host);
  uv_run(&host->loop, UV_RUN_NOWAIT);
  clock_advance(&host->clock);
}

int main(void) {
  struct host *host = machine_open(20);
  machine_start(host, &host->root->background, text);
  while (!has_reached(host)) turn(host);
  for (int i = 0; i < 20; i++) turn(host);
  machine_close(host);
  return 0;
}
