## The layers, one convenience library each, and the two programs. SPDX-License-Identifier: MIT

noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/buf.c \
	src/base/buf.h \
	src/base/clock.c \
	src/base/clock.h \
	src/base/encode.c \
	src/base/encode.h \
	src/base/err.c \
	src/base/err.h \
	src/base/fs.c \
	src/base/fs.h \
	src/base/log.c \
	src/base/log.h \
	src/base/mem.c \
	src/base/mem.h \
	src/base/net.c \
	src/base/net.h \
	src/base/proc.c \
	src/base/proc.h \
	src/base/str.c \
	src/base/str.h

noinst_LIBRARIES += libvidu.a
libvidu_a_SOURCES = \
	src/vidu/answer.c \
	src/vidu/answer.h \
	src/vidu/callback.c \
	src/vidu/callback.h \
	src/vidu/compose.c \
	src/vidu/compose.h \
	src/vidu/compose_data.h \
	src/vidu/crypto.c \
	src/vidu/crypto.h \
	src/vidu/document.c \
	src/vidu/document.h \
	src/vidu/endpoint.c \
	src/vidu/endpoint.h \
	src/vidu/endpoint_table.c \
	src/vidu/endpoint_table.h \
	src/vidu/expiry.c \
	src/vidu/expiry.h \
	src/vidu/form.c \
	src/vidu/form.h \
	src/vidu/form_read.c \
	src/vidu/form_read.h \
	src/vidu/id.c \
	src/vidu/id.h \
	src/vidu/job_tree.c \
	src/vidu/job_tree.h \
	src/vidu/key.c \
	src/vidu/key.h \
	src/vidu/library.c \
	src/vidu/library.h \
	src/vidu/names.c \
	src/vidu/names.h \
	src/vidu/nearest.c \
	src/vidu/nearest.h \
	src/vidu/nfo.c \
	src/vidu/nfo.h \
	src/vidu/outline.c \
	src/vidu/outline.h \
	src/vidu/percent.c \
	src/vidu/percent.h \
	src/vidu/provider.c \
	src/vidu/provider.h \
	src/vidu/redact.c \
	src/vidu/redact.h \
	src/vidu/request.c \
	src/vidu/request.h \
	src/vidu/request_check.c \
	src/vidu/request_summary.c \
	src/vidu/result_kind.c \
	src/vidu/result_kind.h \
	src/vidu/sigv4.c \
	src/vidu/sigv4.h \
	src/vidu/s3_sign.c \
	src/vidu/s3_sign.h \
	src/vidu/sign.c \
	src/vidu/sign.h \
	src/vidu/state.c \
	src/vidu/state.h \
	src/vidu/tag.c \
	src/vidu/tag.h \
	src/vidu/template.c \
	src/vidu/template.h \
	src/vidu/template_file_name.c \
	src/vidu/template_filter.c \
	src/vidu/template_filter.h \
	src/vidu/webhook.c \
	src/vidu/webhook.h

noinst_LIBRARIES += libconf.a
libconf_a_SOURCES = \
	src/conf/conf.c \
	src/conf/conf.h \
	src/conf/conf_check.c \
	src/conf/conf_check.h \
	src/conf/conf_delivery.c \
	src/conf/conf_delivery.h \
	src/conf/conf_command.c \
	src/conf/conf_command.h \
	src/conf/conf_download.c \
	src/conf/conf_download.h \
	src/conf/conf_hook.c \
	src/conf/conf_hook.h \
	src/conf/conf_http.c \
	src/conf/conf_http.h \
	src/conf/conf_http_batch.c \
	src/conf/conf_http_form.c \
	src/conf/conf_range.c \
	src/conf/conf_range.h \
	src/conf/conf_rate.c \
	src/conf/conf_rate.h \
	src/conf/conf_init.c \
	src/conf/conf_init.h \
	src/conf/conf_items.c \
	src/conf/conf_items.h \
	src/conf/conf_listen.c \
	src/conf/conf_listen.h \
	src/conf/conf_load.h \
	src/conf/conf_node.c \
	src/conf/conf_node.h \
	src/conf/conf_path.c \
	src/conf/conf_path.h \
	src/conf/conf_preset.c \
	src/conf/conf_preset.h \
	src/conf/conf_provider.c \
	src/conf/conf_provider.h \
	src/conf/conf_secret.c \
	src/conf/conf_secret.h \
	src/conf/conf_show.c \
	src/conf/conf_speech.c \
	src/conf/conf_speech.h \
	src/conf/conf_table.c \
	src/conf/conf_table.h \
	src/conf/conf_type.c \
	src/conf/conf_type.h \
	src/conf/conf_url.c \
	src/conf/conf_url.h \
	src/conf/conf_warn.c \
	src/conf/conf_yaml.c \
	src/conf/conf_yaml.h

noinst_LIBRARIES += libwire.a
libwire_a_SOURCES = \
	src/wire/channel.c \
	src/wire/channel.h \
	src/wire/channel_blocking.c \
	src/wire/command.h \
	src/wire/frame.c \
	src/wire/frame.h \
	src/wire/hello.c \
	src/wire/hello.h \
	src/wire/message.c \
	src/wire/message.h \
	src/wire/pass.c \
	src/wire/pass.h \
	src/wire/report.c \
	src/wire/report.h \
	src/wire/path_map.c \
	src/wire/path_map.h \
	src/wire/run.c \
	src/wire/run.h

noinst_LIBRARIES += libhttp.a
libhttp_a_SOURCES = \
	src/http/address.c \
	src/http/address.h \
	src/http/chunk.c \
	src/http/chunk.h \
	src/http/client.c \
	src/http/client.h \
	src/http/client_loop.c \
	src/http/client_loop.h \
	src/http/client_options.c \
	src/http/client_options.h \
	src/http/client_version.c \
	src/http/fetch.c \
	src/http/fetch.h \
	src/http/fetch_part.c \
	src/http/fetch_part.h \
	src/http/fetch_publish.c \
	src/http/fetch_publish.h \
	src/http/guard.c \
	src/http/guard.h \
	src/http/head.c \
	src/http/head.h \
	src/http/mp4.c \
	src/http/mp4.h \
	src/http/server.c \
	src/http/server.h \
	src/http/server_conn.c \
	src/http/server_conn.h \
	src/http/server_feed.c \
	src/http/server_linger.c \
	src/http/server_listen.c \
	src/http/source.c \
	src/http/source.h \
	src/http/tls.c \
	src/http/tls.h

noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	src/store/store.c \
	src/store/store.h \
	src/store/store_json.c \
	src/store/store_json.h \
	src/store/store_lock.c \
	src/store/store_lock.h \
	src/store/store_schema.c \
	src/store/store_schema.h \
	src/store/store_sqlite.c \
	src/store/store_sqlite.h \
	src/store/store_sqlite_event.c \
	src/store/store_sqlite_open.c \
	src/store/store_sqlite_run.c \
	src/store/store_sqlite_sql.c \
	src/store/store_sqlite_day.c \
	src/store/store_sqlite_tally.c \
	src/store/store_sqlite_task.c \
	src/store/store_sqlite_version.c

noinst_LIBRARIES += libreceiver.a
libreceiver_a_SOURCES = \
	src/receiver/drill.c \
	src/receiver/drill.h \
	src/receiver/intake.c \
	src/receiver/intake.h \
	src/receiver/receiver.c \
	src/receiver/receiver.h \
	src/receiver/sandbox.c \
	src/receiver/sandbox.h
if HAVE_SECCOMP
libreceiver_a_SOURCES += src/receiver/sandbox_seccomp.c
else
libreceiver_a_SOURCES += src/receiver/sandbox_noseccomp.c
endif

noinst_LIBRARIES += libkeeper.a
libkeeper_a_SOURCES = \
	src/keeper/alarms.c \
	src/keeper/alarms.h \
	src/keeper/batch.c \
	src/keeper/batch.h \
	src/keeper/calls.c \
	src/keeper/calls.h \
	src/keeper/claim.c \
	src/keeper/claim.h \
	src/keeper/describe.c \
	src/keeper/describe.h \
	src/keeper/events.c \
	src/keeper/events.h \
	src/keeper/files.c \
	src/keeper/files.h \
	src/keeper/follow.c \
	src/keeper/follow.h \
	src/keeper/given.c \
	src/keeper/given.h \
	src/keeper/hooks.c \
	src/keeper/hooks.h \
	src/keeper/judge.c \
	src/keeper/judge.h \
	src/keeper/keeper.c \
	src/keeper/keeper.h \
	src/keeper/lookup.c \
	src/keeper/lookup.h \
	src/keeper/looks.c \
	src/keeper/looks.h \
	src/keeper/match.c \
	src/keeper/match.h \
	src/keeper/next.c \
	src/keeper/next.h \
	src/keeper/notify.c \
	src/keeper/notify.h \
	src/keeper/operate.c \
	src/keeper/operate.h \
	src/keeper/orphans.c \
	src/keeper/orphans.h \
	src/keeper/outcome.c \
	src/keeper/outcome.h \
	src/keeper/pauses.c \
	src/keeper/pauses.h \
	src/keeper/pace.c \
	src/keeper/pace.h \
	src/keeper/plan.c \
	src/keeper/plan.h \
	src/keeper/query.c \
	src/keeper/query.h \
	src/keeper/redo.c \
	src/keeper/redo.h \
	src/keeper/replay.c \
	src/keeper/replay.h \
	src/keeper/record.c \
	src/keeper/record.h \
	src/keeper/handout.c \
	src/keeper/handout.h \
	src/keeper/places.c \
	src/keeper/places.h \
	src/keeper/quota.c \
	src/keeper/quota.h \
	src/keeper/rates.c \
	src/keeper/rates.h \
	src/keeper/reload.c \
	src/keeper/reload.h \
	src/keeper/running.c \
	src/keeper/running.h \
	src/keeper/schedule.c \
	src/keeper/schedule.h \
	src/keeper/schedule_inner.h \
	src/keeper/sockets.c \
	src/keeper/sockets.h \
	src/keeper/spawn.c \
	src/keeper/spawn.h \
	src/keeper/spend.c \
	src/keeper/spend.h \
	src/keeper/supervise.c \
	src/keeper/supervise.h \
	src/keeper/trigger.c \
	src/keeper/trigger.h \
	src/keeper/version.c

noinst_LIBRARIES += libgateway.a
libgateway_a_SOURCES = \
	src/gateway/account.c \
	src/gateway/account.h \
	src/gateway/adopt.c \
	src/gateway/adopt.h \
	src/gateway/call.c \
	src/gateway/call.h \
	src/gateway/control.c \
	src/gateway/control.h \
	src/gateway/gateway.c \
	src/gateway/gateway.h \
	src/gateway/mirror.c \
	src/gateway/mirror.h \
	src/gateway/mirror_call.c \
	src/gateway/mirror_call.h \
	src/gateway/mirror_create.c \
	src/gateway/mirror_create.h \
	src/gateway/mirror_error.c \
	src/gateway/mirror_error.h \
	src/gateway/mirror_fresh.c \
	src/gateway/mirror_fresh.h \
	src/gateway/mirror_pass.c \
	src/gateway/mirror_pass.h \
	src/gateway/mirror_query.c \
	src/gateway/mirror_query.h \
	src/gateway/mirror_route.c \
	src/gateway/mirror_route.h \
	src/gateway/mirror_shape.c \
	src/gateway/mirror_shape.h \
	src/gateway/poll.c \
	src/gateway/poll.h \
	src/gateway/prepare.c \
	src/gateway/prepare.h \
	src/gateway/prepare_file.c \
	src/gateway/question.c \
	src/gateway/question.h \
	src/gateway/room.h \
	src/gateway/submit.c \
	src/gateway/submit.h \
	src/gateway/submit_command.c \
	src/gateway/submit_command.h \
	src/gateway/upload.c \
	src/gateway/upload.h

noinst_LIBRARIES += librunner.a
librunner_a_SOURCES = \
	src/runner/action.h \
	src/runner/breaker.c \
	src/runner/breaker.h \
	src/runner/deliver.c \
	src/runner/deliver_recipe.c \
	src/runner/deliver_recipe.h \
	src/runner/deliver_request.c \
	src/runner/deliver_request.h \
	src/runner/deliver_batch.c \
	src/runner/deliver_batch.h \
	src/runner/deliver_form.c \
	src/runner/deliver_form.h \
	src/runner/deliver_upload.c \
	src/runner/deliver_upload.h \
	src/runner/download.c \
	src/runner/download_beside.c \
	src/runner/download_beside.h \
	src/runner/download_folder.c \
	src/runner/download_folder.h \
	src/runner/download_plan.c \
	src/runner/download_plan.h \
	src/runner/exec.c \
	src/runner/live.c \
	src/runner/live.h \
	src/runner/quota.c \
	src/runner/quota.h \
	src/runner/reap.c \
	src/runner/reap.h \
	src/runner/runner.c \
	src/runner/runner.h \
	src/runner/spawn.c \
	src/runner/spawn.h \
	src/runner/spawn_child.c \
	src/runner/spawn_child.h \
	src/runner/spawn_settings.c \
	src/runner/spawn_settings.h \
	src/runner/sweep.c \
	src/runner/sweep.h \
	src/runner/tail.c \
	src/runner/tail.h \
	src/runner/trail.c \
	src/runner/trail.h

noinst_LIBRARIES += libcli.a
libcli_a_SOURCES = \
	src/cli/admin.c \
	src/cli/adopt.c \
	src/cli/body.c \
	src/cli/body.h \
	src/cli/cli.c \
	src/cli/cli.h \
	src/cli/commands.c \
	src/cli/commands.h \
	src/cli/control.c \
	src/cli/control.h \
	src/cli/doctor.c \
	src/cli/doctor.h \
	src/cli/doctor_http.c \
	src/cli/edit.c \
	src/cli/edit.h \
	src/cli/explain.c \
	src/cli/field.c \
	src/cli/field.h \
	src/cli/files.c \
	src/cli/follow.c \
	src/cli/follow.h \
	src/cli/help.c \
	src/cli/help.h \
	src/cli/init.c \
	src/cli/main.c \
	src/cli/offline.c \
	src/cli/offline.h \
	src/cli/media.c \
	src/cli/media.h \
	src/cli/media_file.c \
	src/cli/media_file.h \
	src/cli/upload.c \
	src/cli/upload.h \
	src/cli/options.c \
	src/cli/options.h \
	src/cli/progress.c \
	src/cli/progress.h \
	src/cli/replay.c \
	src/cli/render.c \
	src/cli/render.h \
	src/cli/retry.c \
	src/cli/runs.c \
	src/cli/save.c \
	src/cli/save.h \
	src/cli/sign.c \
	src/cli/signing.c \
	src/cli/signing.h \
	src/cli/credits.c \
	src/cli/import.c \
	src/cli/spend.c \
	src/cli/submit.c \
	src/cli/submit.h \
	src/cli/stored.c \
	src/cli/stored.h \
	src/cli/story.c \
	src/cli/story.h \
	src/cli/submit_wait.c \
	src/cli/suggest.c \
	src/cli/suggest.h \
	src/cli/table.c \
	src/cli/table.h \
	src/cli/tail.c \
	src/cli/tasks.c \
	src/cli/term.c \
	src/cli/term.h \
	src/cli/verify.c \
	src/cli/watch.c \
	src/cli/when.c \
	src/cli/when.h

noinst_LIBRARIES += libsim.a
libsim_a_SOURCES = \
	src/sim/media_data.h \
	src/sim/sim.c \
	src/sim/sim.h \
	src/sim/sim_answer.c \
	src/sim/sim_callback.c \
	src/sim/sim_callback.h \
	src/sim/sim_catalogue.c \
	src/sim/sim_catalogue.h \
	src/sim/sim_json.c \
	src/sim/sim_json.h \
	src/sim/sim_ledger.c \
	src/sim/sim_ledger.h \
	src/sim/sim_list.c \
	src/sim/sim_list.h \
	src/sim/sim_media.c \
	src/sim/sim_media.h \
	src/sim/sim_options.c \
	src/sim/sim_options.h \
	src/sim/sim_request.c \
	src/sim/sim_request.h \
	src/sim/sim_routes.c \
	src/sim/sim_routes.h \
	src/sim/sim_sign.c \
	src/sim/sim_sign.h \
	src/sim/sim_task.c \
	src/sim/sim_task.h \
	src/sim/sim_upload.c \
	src/sim/sim_upload.h
nodist_libsim_a_SOURCES = src/sim/media_data.c
BUILT_SOURCES += src/sim/media_data.c
CLEANFILES += src/sim/media_data.c
EXTRA_DIST += src/sim/embed.sh src/sim/clip.mp4 src/sim/cover.jpg
src/sim/media_data.c: src/sim/embed.sh src/sim/clip.mp4 src/sim/cover.jpg
	$(AM_V_GEN)mkdir -p $(@D) && sh $(srcdir)/src/sim/embed.sh sim/media_data.h sim_clip_mp4 $(srcdir)/src/sim/clip.mp4 sim_cover_jpg $(srcdir)/src/sim/cover.jpg >$@.tmp && mv $@.tmp $@

viduhookd_SOURCES = src/viduhookd.c
viduhookd_LDADD = \
	libreceiver.a \
	libkeeper.a \
	libgateway.a \
	librunner.a \
	libhttp.a \
	libstore.a \
	libconf.a \
	libwire.a \
	libvidu.a \
	libbase.a \
	$(EVENT_EXTRA_LIBS) \
	$(EVENT_OPENSSL_LIBS) \
	$(EVENT_LIBS) \
	$(CURL_LIBS) \
	$(OPENSSL_LIBS) \
	$(SQLITE_LIBS) \
	$(YAML_LIBS) \
	$(JANSSON_LIBS) \
	$(SECCOMP_LIBS)

viduhook_SOURCES = src/viduhook.c
viduhook_LDADD = \
	libcli.a \
	libsim.a \
	libhttp.a \
	libstore.a \
	libconf.a \
	libwire.a \
	libvidu.a \
	libbase.a \
	$(EVENT_EXTRA_LIBS) \
	$(EVENT_OPENSSL_LIBS) \
	$(EVENT_LIBS) \
	$(CURL_LIBS) \
	$(OPENSSL_LIBS) \
	$(SQLITE_LIBS) \
	$(YAML_LIBS) \
	$(JANSSON_LIBS)
