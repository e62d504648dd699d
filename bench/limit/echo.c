/* echo - the limit for TCP echo: what libuv allows in C.
 *
 * It does what a server has to: reading stops while more than 64 KB wait to
 * be written, partial writes are finished, what was read before EOF is
 * drained, errors close. The hot path is one read into a buffer all share and
 * one uv_try_write: memory is allocated only for what the kernel won't take. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { HIGH_WATER = 64 * 1024, BACKLOG = 4096 };

struct conn {
  uv_tcp_t tcp; /* first member: a handle is its connection */
  bool paused;  /* reading stopped until the writes have drained */
};

struct rest { /* what uv_try_write left over */
  uv_write_t request;
  char bytes[];
};

static char shared[64 * 1024];

static void on_close(uv_handle_t *handle) {
  free(handle);
}

static void close_conn(uv_stream_t *stream) {
  uv_handle_t *handle = (uv_handle_t *)stream;
  if (!uv_is_closing(handle)) uv_close(handle, on_close);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf) {
  (void)handle, (void)size;
  buf->base = shared;
  buf->len = sizeof shared;
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf);

static void on_written(uv_write_t *request, int status) {
  uv_stream_t *stream = request->handle;
  struct conn *conn = (struct conn *)stream;
  free(request);
  if (status < 0) {
    close_conn(stream);
    return;
  }
  if (!conn->paused || uv_stream_get_write_queue_size(stream) > HIGH_WATER)
    return;
  conn->paused = false;
  if (uv_read_start(stream, on_alloc, on_read) < 0) close_conn(stream);
}

static void write_rest(uv_stream_t *stream, const char *bytes, size_t size) {
  struct conn *conn = (struct conn *)stream;
  struct rest *rest = malloc(sizeof *rest + size);
  if (rest == NULL) {
    close_conn(stream);
    return;
  }
  memcpy(rest->bytes, bytes, size);
  uv_buf_t buf = uv_buf_init(rest->bytes, (unsigned)size);
  if (uv_write(&rest->request, stream, &buf, 1, on_written) < 0) {
    free(rest);
    close_conn(stream);
    return;
  }
  if (uv_stream_get_write_queue_size(stream) <= HIGH_WATER) return;
  conn->paused = true;
  uv_read_stop(stream);
}

static void on_shutdown(uv_shutdown_t *request, int status) {
  (void)status;
  close_conn(request->handle);
  free(request);
}

/* The peer has ended: what waits is still written. */
static void finish(uv_stream_t *stream) {
  uv_shutdown_t *request = NULL;
  uv_read_stop(stream);
  if (uv_stream_get_write_queue_size(stream) > 0)
    request = malloc(sizeof *request);
  if (request != NULL && uv_shutdown(request, stream, on_shutdown) == 0) return;
  free(request);
  close_conn(stream);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf) {
  if (count == 0) return;
  if (count == UV_EOF) {
    finish(stream);
    return;
  }
  if (count < 0) {
    close_conn(stream);
    return;
  }
  uv_buf_t out = uv_buf_init(buf->base, (unsigned)count);
  int written = uv_try_write(stream, &out, 1);
  if (written == count) return;
  if (written == UV_EAGAIN) written = 0;
  if (written < 0)
    close_conn(stream);
  else
    write_rest(stream, buf->base + written, (size_t)(count - written));
}

/* libuv itself sheds what comes when there are no descriptors left. */
static void on_connection(uv_stream_t *server, int status) {
  if (status < 0) {
    fprintf(stderr, "accept: %s\n", uv_strerror(status));
    return;
  }
  struct conn *conn = malloc(sizeof *conn);
  if (conn == NULL) return;
  conn->paused = false;
  uv_tcp_init(server->loop, &conn->tcp);
  uv_stream_t *stream = (uv_stream_t *)&conn->tcp;
  if (uv_accept(server, stream) < 0 || uv_tcp_nodelay(&conn->tcp, 1) < 0 ||
      uv_read_start(stream, on_alloc, on_read) < 0)
    close_conn(stream);
}

static void print_address(const uv_tcp_t *server) {
  struct sockaddr_in address;
  int size = sizeof address;
  uv_tcp_getsockname(server, (struct sockaddr *)&address, &size);
  printf("127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
}

int main(void) {
  uv_loop_t *loop = uv_default_loop();
  uv_tcp_t server;
  struct sockaddr_in address;
  signal(SIGPIPE, SIG_IGN);
  uv_ip4_addr("127.0.0.1", 0, &address);
  uv_tcp_init(loop, &server);
  int status = uv_tcp_bind(&server, (struct sockaddr *)&address, 0);
  if (status == 0)
    status = uv_listen((uv_stream_t *)&server, BACKLOG, on_connection);
  if (status < 0) {
    fprintf(stderr, "listen: %s\n", uv_strerror(status));
    return 1;
  }
  print_address(&server);
  return uv_run(loop, UV_RUN_DEFAULT);
}
