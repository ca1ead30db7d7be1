#include "exporters/peer/tls_files.h"

#include "sdk/base/clock.h"
#include "sdk/base/process/diagnostics.h"

#include <string.h>

#define LOOK_NANO OTLOG__NANOS_PER_S

/* Two files are seldom exchanged in one step: what is wrong for less than this, with good ones in use, is no news. */
#define GRACE_NANO OTLOG__NANOS_PER_S

/* ---- Saying ------------------------------------------------------------------------------------------------------ */

static void
say_taken(const otlog__tls_part *part)
{
	char shown[OTLOG__TLS_SHOWN_SIZE];
	const otlog__tls_material *material = &part->material;
	otlog__tls_source_show(&material->sources[0], shown);
	int64_t now_s = (int64_t)(otlog__unix_nano() / OTLOG__NANOS_PER_S);
	if (material->pair && material->expires_unix_s <= now_s)
		otlog__diagnose_always(
		    OTLOG__WARN,
		    "the client certificate in %s has expired: servers will refuse it. Renew the file "
		    "that %s names",
		    shown, material->sources[0].setting);
	else
		otlog__diagnose_always(OTLOG__DEBUG, "the certificates in %s are in use from now on", shown);
}

static void
say_problem(otlog__tls_part *part, uint64_t now_nano)
{
	const otlog__tls_material *material = &part->material;
	bool in_use = material->used[0].size;
	if (strcmp(material->problem, part->said) == 0 || (in_use && now_nano - material->bad_since_nano < GRACE_NANO))
		return;
	memcpy(part->said, material->problem, sizeof part->said);
	const char *and = material->count > 1 ? " and " : "";
	const char *second = material->count > 1 ? material->sources[1].setting : "";
	if (in_use)
		otlog__diagnose_always(OTLOG__WARN,
		                       "%s. What was read before stays in use; correct the file, or %s%s%s", part->said,
		                       material->sources[0].setting, and, second);
	else
		otlog__diagnose_always(OTLOG__ERROR,
		                       "%s. Nothing is sent over TLS until the file, or %s%s%s, is corrected",
		                       part->said, material->sources[0].setting, and, second);
}

static bool
read_part(otlog__tls_part *part, uint64_t now_nano)
{
	bool taken = otlog__tls_material_read(&part->material, now_nano);
	if (taken)
		say_taken(part);
	if (*part->material.problem)
		say_problem(part, now_nano);
	else
		part->said[0] = '\0';
	return taken;
}

/* ---- The files --------------------------------------------------------------------------------------------------- */

static bool
given(const char *text)
{
	return text && *text;
}

static bool
add_files(otlog__tls_files *files, const otlog__tls_options *options)
{
	const otlog__peer_names *names = &options->names;
	otlog__tls_material *authorities = &files->authorities.material;
	otlog__tls_material *client = &files->client.material;
	client->pair = true;
	if (given(options->ca_file) && !otlog__tls_material_add(authorities, options->ca_file, names->ca_file))
		return false;
	if (!given(options->client_certificate_file)) {
		if (given(options->client_key_file))
			otlog__diagnose_always(OTLOG__WARN,
			                       "%s is of no use without a certificate: servers see no client "
			                       "certificate until %s is set",
			                       names->client_key, names->client_certificate);
		return true;
	}
	return otlog__tls_material_add(client, options->client_certificate_file, names->client_certificate) &&
	       (!given(options->client_key_file) ||
	        otlog__tls_material_add(client, options->client_key_file, names->client_key));
}

bool
otlog__tls_files_open(otlog__tls_files *files, const otlog__tls_options *options, uint64_t now_nano)
{
	bool added = add_files(files, options);
	if (added)
		otlog__tls_files_refresh(files, now_nano, true);
	return added;
}

bool
otlog__tls_files_refresh(otlog__tls_files *files, uint64_t now_nano, bool at_once)
{
	if (!at_once && now_nano < files->next_look_nano)
		return false;
	files->next_look_nano = now_nano + LOOK_NANO;
	bool authorities = read_part(&files->authorities, now_nano);
	bool client = read_part(&files->client, now_nano);
	return authorities || client;
}

void
otlog__tls_files_close(otlog__tls_files *files)
{
	otlog__tls_material_free(&files->authorities.material);
	otlog__tls_material_free(&files->client.material);
}
