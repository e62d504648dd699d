/* http - the limit for HTTP: what libuv and llhttp allow in C.
 * http hello|headers|json|in|out: what each request is answered with.
 *
 * It does what a server has to and nothing more: requests are parsed by llhttp,
 * responses carry a date that is made once a second, those of one read go out in
 * one uv_try_write, what the kernel won't take is written later, and reading
 * stops meanwhile. The buffers are shared: what is kept over a turn is copied. */
#include <llhttp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <uv.h>

enum {
  BACKLOG = 4096,
  READ_SIZE = 64 * 1024,
  OUT_SIZE = 64 * 1024,
  HEAD_SIZE = 2048,
  MARKS = 64,
  CHUNKS = 16,
  CHUNK_SIZE = 64 * 1024,
  CHUNK_ROOM = CHUNK_SIZE + 16,
};

struct conn {
  uv_tcp_t tcp; /* first member: a handle is its connection */
  llhttp_t parser;
  unsigned writes; /* that wait; reading is stopped */
  bool ends;       /* after what is written now */
  unsigned chunks; /* still to be sent */
  size_t body;     /* bytes of it, so far */
  struct head *head;
};

/* Names and values in turn: `ends` says where each piece ends in `bytes`. */
struct head {
  bool in_value;
  unsigned pieces;
  size_t size, ends[MARKS];
  char bytes[HEAD_SIZE];
};

struct rest { /* what uv_try_write left over */
  uv_write_t request;
  char bytes[];
};

static char shared[READ_SIZE], out[OUT_SIZE], chunk[CHUNK_ROOM];
static char date[64];
static size_t out_size, chunk_size;
static struct head *spare; /* of the request that was read last */
static void (*answer)(struct conn *conn);

static void on_close(uv_handle_t *handle) {
  free(((struct conn *)handle)->head);
  free(handle);
}

static void close_conn(struct conn *conn) {
  uv_handle_t *handle = (uv_handle_t *)&conn->tcp;
  if (!uv_is_closing(handle)) uv_close(handle, on_close);
}

/* ---- writing ---- */

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf) {
  (void)handle, (void)size;
  *buf = uv_buf_init(shared, sizeof shared);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf);
static void send_chunks(struct conn *conn);

static void on_written(uv_write_t *request, int status) {
  struct conn *conn = (struct conn *)request->handle;
  free(request);
  conn->writes--;
  if (status < 0 || (conn->ends && conn->chunks == 0)) {
    close_conn(conn);
    return;
  }
  if (conn->chunks > 0) send_chunks(conn);
  if (conn->writes == 0 && !uv_is_closing((uv_handle_t *)&conn->tcp))
    uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
}

/* `lasts`: the bytes stay where they are, and need no copy. */
static void write_rest(struct conn *conn, const char *bytes, size_t size,
                       bool lasts) {
  struct rest *rest = malloc(sizeof *rest + (lasts ? 0 : size));
  if (rest == NULL) {
    close_conn(conn);
    return;
  }
  if (!lasts) memcpy(rest->bytes, bytes, size);
  uv_buf_t buf =
    uv_buf_init(lasts ? (char *)bytes : rest->bytes, (unsigned)size);
  uv_stream_t *stream = (uv_stream_t *)&conn->tcp;
  if (uv_write(&rest->request, stream, &buf, 1, on_written) < 0) {
    free(rest);
    close_conn(conn);
    return;
  }
  if (conn->writes++ == 0) uv_read_stop(stream);
}

static void put_out(struct conn *conn, const char *bytes, size_t size,
                    bool lasts) {
  uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)size);
  int written =
    conn->writes > 0 ? 0 : uv_try_write((uv_stream_t *)&conn->tcp, &buf, 1);
  if (written == UV_EAGAIN) written = 0;
  if (written < 0)
    close_conn(conn);
  else if ((size_t)written < size)
    write_rest(conn, bytes + written, size - (size_t)written, lasts);
}

static void flush(struct conn *conn) {
  size_t size = out_size;
  out_size = 0;
  if (size > 0) put_out(conn, out, size, false);
}

static void put(const char *bytes, size_t size) {
  memcpy(out + out_size, bytes, size);
  out_size += size;
}

static void put_text(const char *text) {
  put(text, strlen(text));
}

static void put_integer(size_t value) {
  char digits[24];
  size_t at = sizeof digits;
  do digits[--at] = (char)('0' + value % 10);
  while ((value /= 10) > 0);
  put(digits + at, sizeof digits - at);
}

static void put_head(const char *type, size_t length) {
  static const char line[] = "HTTP/1.1 200 OK\r\nDate: ";
  put(line, sizeof line - 1);
  put(date, strlen(date));
  put_text("\r\nContent-Type: ");
  put_text(type);
  put_text("\r\nContent-Length: ");
  put_integer(length);
  put("\r\n\r\n", 4);
}

/* ---- answers ---- */

static void answer_hello(struct conn *conn) {
  (void)conn;
  put_head("text/plain; charset=utf-8", 13);
  put("Hello, World!", 13);
}

static bool has(const struct head *head, const char *name) {
  size_t size = strlen(name), begin = 0;
  for (unsigned i = 0; i + 1 < head->pieces; i += 2) {
    if (head->ends[i] - begin == size &&
        strncasecmp(head->bytes + begin, name, size) == 0)
      return true;
    begin = head->ends[i + 1];
  }
  return false;
}

static void answer_headers(struct conn *conn) {
  if (has(conn->head, "user-agent") && has(conn->head, "accept-language"))
    answer_hello(conn);
  else
    close_conn(conn);
}

static void put_item(int i) {
  char number[32];
  put_text("{\"id\":");
  put_integer((size_t)(1000 + i));
  put_text(",\"name\":\"Item number ");
  put_integer((size_t)(1000 + i));
  put_text("\",\"price\":");
  put(number, (size_t)snprintf(number, sizeof number, "%.17g", i + 0.25));
  put_text(",\"stock\":");
  put_integer((size_t)(i * 7));
  put_text(",\"tags\":[\"red\",\"small\"],\"active\":");
  put_text(i % 2 == 0 ? "true}" : "false}");
}

/* The body is made behind the room that the head takes, then moved up. */
static void answer_json(struct conn *conn) {
  size_t begin = out_size;
  (void)conn;
  out_size += 256;
  put_text("{\"page\":1,\"total\":250,\"items\":[");
  for (int i = 1; i <= 10; i++) {
    if (i > 1) put(",", 1);
    put_item(i);
  }
  put_text("]}");
  size_t length = out_size - begin - 256;
  out_size = begin;
  put_head("application/json", length);
  memmove(out + out_size, out + begin + 256, length);
  out_size += length;
}

static void answer_in(struct conn *conn) {
  char text[24];
  int size = snprintf(text, sizeof text, "%zu", conn->body);
  put_head("text/plain; charset=utf-8", (size_t)size);
  put(text, (size_t)size);
}

static void answer_out(struct conn *conn) {
  put_text("HTTP/1.1 200 OK\r\nDate: ");
  put_text(date);
  put_text("\r\nContent-Type: text/plain; charset=utf-8"
           "\r\nTransfer-Encoding: chunked\r\n\r\n");
  flush(conn);
  conn->chunks = CHUNKS + 1;
  send_chunks(conn);
}

static void send_chunks(struct conn *conn) {
  while (conn->chunks > 0 && conn->writes == 0 &&
         !uv_is_closing((uv_handle_t *)&conn->tcp)) {
    bool last = --conn->chunks == 0;
    put_out(conn, last ? "0\r\n\r\n" : chunk, last ? 5 : chunk_size, true);
  }
}

/* ---- requests ---- */

static struct conn *conn_of(llhttp_t *parser) {
  return parser->data;
}

static int begin_request(llhttp_t *parser) {
  struct conn *conn = conn_of(parser);
  conn->body = 0;
  if (answer != answer_headers) return 0;
  conn->head = spare != NULL ? spare : malloc(sizeof *spare);
  spare = NULL;
  if (conn->head == NULL) return HPE_USER;
  conn->head->pieces = 0;
  conn->head->size = 0;
  conn->head->in_value = true;
  return 0;
}

/* A piece may come in parts. */
static int add_piece(struct head *head, bool value, const char *at,
                     size_t size) {
  if (head->in_value != value) head->pieces++;
  head->in_value = value;
  if (head->pieces > MARKS || head->size + size > HEAD_SIZE) return HPE_USER;
  memcpy(head->bytes + head->size, at, size);
  head->ends[head->pieces - 1] = head->size += size;
  return 0;
}

static int add_name(llhttp_t *parser, const char *at, size_t size) {
  return add_piece(conn_of(parser)->head, false, at, size);
}

static int add_value(llhttp_t *parser, const char *at, size_t size) {
  return add_piece(conn_of(parser)->head, true, at, size);
}

static int add_body(llhttp_t *parser, const char *at, size_t size) {
  (void)at;
  conn_of(parser)->body += size;
  return 0;
}

static int end_request(llhttp_t *parser) {
  struct conn *conn = conn_of(parser);
  if (!llhttp_should_keep_alive(parser)) conn->ends = true;
  answer(conn);
  if (out_size > OUT_SIZE - 4096) flush(conn);
  if (conn->head == NULL) return 0;
  free(spare);
  spare = conn->head;
  conn->head = NULL;
  return 0;
}

static llhttp_settings_t settings;

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf) {
  struct conn *conn = (struct conn *)stream;
  if (count == 0) return;
  if (count < 0) {
    close_conn(conn);
    return;
  }
  llhttp_errno_t error =
    llhttp_execute(&conn->parser, buf->base, (size_t)count);
  flush(conn);
  if (error != HPE_OK || (conn->ends && conn->writes == 0 && conn->chunks == 0))
    close_conn(conn);
}

static void on_connection(uv_stream_t *server, int status) {
  if (status < 0) return;
  struct conn *conn = calloc(1, sizeof *conn);
  if (conn == NULL) return;
  uv_tcp_init(server->loop, &conn->tcp);
  llhttp_init(&conn->parser, HTTP_REQUEST, &settings);
  conn->parser.data = conn;
  uv_stream_t *stream = (uv_stream_t *)&conn->tcp;
  if (uv_accept(server, stream) < 0 || uv_tcp_nodelay(&conn->tcp, 1) < 0 ||
      uv_read_start(stream, on_alloc, on_read) < 0)
    close_conn(conn);
}

/* ---- start ---- */

static void tell_time(uv_timer_t *timer) {
  struct tm parts;
  time_t now = time(NULL);
  (void)timer;
  gmtime_r(&now, &parts);
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
}

static void print_address(const uv_tcp_t *server) {
  struct sockaddr_in address;
  int size = sizeof address;
  uv_tcp_getsockname(server, (struct sockaddr *)&address, &size);
  printf("127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
}

static bool choose(const char *name) {
  static const struct {
    const char *name;
    void (*answer)(struct conn *conn);
  } list[] = {{"hello", answer_hello},
              {"headers", answer_headers},
              {"json", answer_json},
              {"in", answer_in},
              {"out", answer_out}};
  for (size_t i = 0; i < sizeof list / sizeof *list; i++)
    if (strcmp(name, list[i].name) == 0) answer = list[i].answer;
  llhttp_settings_init(&settings);
  settings.on_message_begin = begin_request;
  settings.on_message_complete = end_request;
  if (answer == answer_in) settings.on_body = add_body;
  if (answer == answer_headers) {
    settings.on_header_field = add_name;
    settings.on_header_value = add_value;
  }
  return answer != NULL;
}

static void make_chunk(void) {
  chunk_size = (size_t)sprintf(chunk, "%x\r\n", CHUNK_SIZE);
  memset(chunk + chunk_size, '.', CHUNK_SIZE);
  chunk_size += CHUNK_SIZE;
  memcpy(chunk + chunk_size, "\r\n", 2);
  chunk_size += 2;
}

int main(int argc, char **argv) {
  uv_loop_t *loop = uv_default_loop();
  uv_tcp_t server;
  uv_timer_t clock;
  struct sockaddr_in address;
  if (argc != 2 || !choose(argv[1])) {
    fprintf(stderr, "usage: http hello|headers|json|in|out\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  make_chunk();
  tell_time(NULL);
  uv_timer_init(loop, &clock);
  uv_timer_start(&clock, tell_time, 1000, 1000);
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
