/* accepted.h - a socket that was accepted becomes a stream. */
#ifndef HOST_LISTEN_ACCEPTED_H
#define HOST_LISTEN_ACCEPTED_H

struct listener;
struct stream;
struct stream_kind;

/* Takes the descriptor, in any case; NULL: it could not be. The stream has an
 * owner of its own, which outlives the version where the listener shares, and
 * is to be started. */
struct stream *accepted_new(const struct listener *listener, int fd,
                            const struct stream_kind *kind);

#endif
