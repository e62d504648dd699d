/* accepted.c - whoever serves it: it is traced to the line that listens, and
 * small writes go out at once. */
#include "host/listen/accepted.h"

#include <unistd.h>

#include "host/host.h"
#include "host/listen/listener.h"
#include "host/stream/stream.h"

static struct owner *new_owner(const struct listener *listener) {
  return owner_new(listener->shares ? listener->handle.host->root
                                    : listener->handle.work.owner->generation);
}

static int adopt(struct stream *stream, int fd) {
  return stream->uv.any.type == UV_TCP ? uv_tcp_open(&stream->uv.tcp, fd)
                                       : uv_pipe_open(&stream->uv.pipe, fd);
}

/* NULL without memory. */
static struct stream *new_stream(const struct listener *listener,
                                 const struct stream_kind *kind) {
  struct owner *owner = new_owner(listener);
  if (owner == NULL) return NULL;
  struct stream *stream =
    stream_new(listener->handle.host, owner,
               listener->is_unix ? UV_NAMED_PIPE : UV_TCP, kind);
  if (stream == NULL) owner_drop(owner);
  return stream;
}

struct stream *accepted_new(const struct listener *listener, int fd,
                            const struct stream_kind *kind) {
  struct stream *stream = new_stream(listener, kind);
  if (stream != NULL && adopt(stream, fd) < 0) {
    handle_close(&stream->handle);
    stream = NULL;
  }
  if (stream == NULL) {
    close(fd);
    return NULL;
  }
  stream->handle.origin = listener->handle.origin;
  stream->handle.work.spec = listener->handle.work.spec;
  if (stream->uv.any.type == UV_TCP) uv_tcp_nodelay(&stream->uv.tcp, 1);
  return stream;
}
