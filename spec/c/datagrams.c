/* datagrams.c - a socket that has no room for what is sent: the datagrams wait,
 * go out in order, or are given up.
 *
 * On loopback there always is room: so this program's sendto comes before that
 * of libc. */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "spec/c/machine.h"

static bool full;
static int refused; /* how often there was no room */

typedef ssize_t send_to(int fd, const void *data, size_t size, int flags,
                        const struct sockaddr *name, socklen_t name_size);

/* (glibc declares it with arguments of a kind of its own.) */
__attribute__((visibility("default"))) send_to our_sendto __asm__("sendto");

ssize_t our_sendto(int fd, const void *data, size_t size, int flags,
                   const struct sockaddr *name, socklen_t name_size) {
  union {
    void *symbol;
    send_to *call;
  } system = {dlsym(RTLD_NEXT, "sendto")};
  if (!full) return system.call(fd, data, size, flags, name, name_size);
  refused++;
  errno = EAGAIN;
  return -1;
}

static int set_full(lua_State *L) {
  full = lua_toboolean(L, 1);
  return 0;
}

static const char text[] =
  "local neap, net = require 'neap', require 'neap.net'\n"
  "local timer = require 'neap.timer'\n"
  "local server = assert(net.udp('127.0.0.1:0'))\n"
  "local client = assert(net.udp('127.0.0.1:0'))\n"
  "local sent = {}\n"
  "local function send(data, options)\n"
  "  return neap.go(function()\n"
  "    local ok, message, code = client:send(data, server.address, options)\n"
  "    sent[#sent + 1] = data .. ' ' .. (code or 'sent')\n"
  "    if not ok then\n"
  "      assert(message:find('^send ' .. server.address .. ': '), message)\n"
  "    end\n"
  "  end)\n"
  "end\n"
  "local function said(expected)\n"
  "  table.sort(sent)\n"
  "  local all = table.concat(sent, ', ')\n"
  "  assert(all == expected, all)\n"
  "  sent = {}\n"
  "end\n"
  /* They wait, in order; who gives up is left out. */
  "set_full(true)\n"
  "local tasks = {}\n"
  "for i = 1, 5 do tasks[i] = send(tostring(i)) end\n"
  "local late = send('late', { timeout = 0.01 })\n"
  "local empty = send('')\n"
  "late:join()\n"
  "tasks[2]:cancel()\n"
  "tasks[4]:cancel()\n"
  "said 'late ETIMEDOUT'\n"
  "set_full(false)\n"
  "for _, i in ipairs { 1, 3, 5 } do tasks[i]:join() end\n"
  "empty:join()\n"
  "said ' sent, 1 sent, 3 sent, 5 sent'\n"
  "for _, data in ipairs { '1', '3', '5', '' } do\n"
  "  assert(server:receive { timeout = 20 } == data)\n"
  "end\n"
  /* Callbacks too, and one behind the others. */
  "set_full(true)\n"
  "local calls = {}\n"
  "for i = 1, 3 do\n"
  "  calls[i] = client:send(i, server.address, function(socket)\n"
  "    assert(socket == client)\n"
  "    sent[#sent + 1] = i\n"
  "  end)\n"
  "end\n"
  "calls[2]:cancel()\n"
  "timer.sleep(0.01)\n"
  "set_full(false)\n"
  "client:send('4', server.address)\n"
  "calls[1]:join() calls[3]:join()\n"
  "said '1, 3'\n"
  "for _, data in ipairs { '1', '3', '4' } do\n"
  "  assert(server:receive { timeout = 20 } == data)\n"
  "end\n"
  /* Not without end. */
  "set_full(true)\n"
  "local big, refusal = ('x'):rep(65000), nil\n"
  "for i = 1, 300 do\n"
  "  client:send(big, server.address, function(socket, message, code)\n"
  "    if code == 'ENOBUFS' then refusal = message end\n"
  "    if not refusal then assert(code == 'ECANCELED', message) end\n"
  "  end)\n"
  "end\n"
  "timer.sleep(0)\n"
  "assert(refusal:find 'no buffer space')\n"
  "refusal = nil\n"
  /* Close while they wait. */
  "local last = send('last')\n"
  "timer.sleep(0)\n"
  "client:close()\n"
  "last:join()\n"
  "said 'last ENOBUFS'\n"
  "timer.sleep(0)\n"
  "client = assert(net.udp())\n"
  "last = send('more')\n"
  "timer.sleep(0)\n"
  "client:close()\n"
  "last:join()\n"
  "said 'more ECANCELED'\n"
  "server:close()\n"
  "reached = true\n"
  /* And the end of the program while they wait. */
  "client = assert(net.udp())\n"
  "server = assert(net.udp('127.0.0.1:0'))\n"
  "for i = 1, 3 do client:send(i, server.address, print) end\n"
  "neap.go(client.receive, client)\n"
  "neap.go(function() timer.sleep(0.01) neap.exit(0) end)\n";

int main(void) {
  struct host *host = machine_open(30);
  lua_register(host->L, "set_full", set_full);
  machine_start(host, &host->root->background, text);
  loop_run(host);
  assert(host_exit_code(host) == 0);
  lua_getglobal(host->L, "reached");
  assert(lua_toboolean(host->L, -1) && refused > 0);
  lua_pop(host->L, 1);
  machine_close(host);
  return 0;
}
