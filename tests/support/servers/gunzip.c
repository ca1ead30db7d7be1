#include "tests/support/servers/gunzip.h"

#include "tests/support/harness/check.h"

#include <zlib.h>

bool
gunzip(const void *packed, size_t packed_size, otlog__buffer *out)
{
	z_stream stream = { .next_in = (Bytef *)packed, .avail_in = (uInt)packed_size };
	uint8_t piece[64 * 1024];
	int status = Z_OK;
	CHECK(inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK); /* 16: gzip, not zlib's own form */
	while (status == Z_OK) {
		stream.next_out = piece;
		stream.avail_out = sizeof piece;
		status = inflate(&stream, Z_NO_FLUSH);
		CHECK(otlog__buffer_append(out, piece, sizeof piece - stream.avail_out));
	}
	bool whole = status == Z_STREAM_END && !stream.avail_in;
	inflateEnd(&stream);
	return whole;
}
