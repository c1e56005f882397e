## Tests mirror src/; each unit test links its layer and those below, nothing else.
## SPDX-License-Identifier: MIT

if HAVE_CMOCKA
UNIT_TESTS = \
	tests/unit/base/test_clock \
	tests/unit/base/test_buf \
	tests/unit/base/test_encode \
	tests/unit/base/test_fs \
	tests/unit/base/test_log \
	tests/unit/base/test_net \
	tests/unit/base/test_proc \
	tests/unit/base/test_str \
	tests/unit/vidu/test_expiry \
	tests/unit/vidu/test_answer \
	tests/unit/vidu/test_callback \
	tests/unit/vidu/test_compose \
	tests/unit/vidu/test_crypto \
	tests/unit/vidu/test_document \
	tests/unit/vidu/test_endpoint \
	tests/unit/vidu/test_id \
	tests/unit/vidu/test_key \
	tests/unit/vidu/test_library \
	tests/unit/vidu/test_nearest \
	tests/unit/vidu/test_nfo \
	tests/unit/vidu/test_outline \
	tests/unit/vidu/test_percent \
	tests/unit/vidu/test_provider \
	tests/unit/vidu/test_redact \
	tests/unit/vidu/test_request \
	tests/unit/vidu/test_request_check \
	tests/unit/vidu/test_request_summary \
	tests/unit/vidu/test_result_kind \
	tests/unit/vidu/test_sign \
	tests/unit/vidu/test_sigv4 \
	tests/unit/vidu/test_state \
	tests/unit/vidu/test_tag \
	tests/unit/vidu/test_form_read \
	tests/unit/vidu/test_template \
	tests/unit/vidu/test_webhook \
	tests/unit/vidu/test_template_file_name \
	tests/unit/conf/test_conf \
	tests/unit/conf/test_conf_check \
	tests/unit/conf/test_conf_command \
	tests/unit/conf/test_conf_hook \
	tests/unit/conf/test_conf_http \
	tests/unit/conf/test_conf_range \
	tests/unit/conf/test_conf_init \
	tests/unit/conf/test_conf_listen \
	tests/unit/conf/test_conf_node \
	tests/unit/conf/test_conf_path \
	tests/unit/conf/test_conf_provider \
	tests/unit/conf/test_conf_secret \
	tests/unit/conf/test_conf_show \
	tests/unit/conf/test_conf_table \
	tests/unit/conf/test_conf_type \
	tests/unit/conf/test_conf_url \
	tests/unit/conf/test_conf_warn \
	tests/unit/conf/test_conf_yaml \
	tests/unit/wire/test_channel \
	tests/unit/wire/test_channel_blocking \
	tests/unit/wire/test_frame \
	tests/unit/wire/test_hello \
	tests/unit/wire/test_message \
	tests/unit/wire/test_report \
	tests/unit/wire/test_path_map \
	tests/unit/wire/test_run \
	tests/unit/http/test_address \
	tests/unit/http/test_chunk \
	tests/unit/http/test_client \
	tests/unit/http/test_fetch \
	tests/unit/http/test_guard \
	tests/unit/http/test_head \
	tests/unit/http/test_mp4 \
	tests/unit/http/test_server \
	tests/unit/http/test_server_conn \
	tests/unit/http/test_server_linger \
	tests/unit/http/test_server_listen \
	tests/unit/http/test_server_places \
	tests/unit/http/test_source \
	tests/unit/http/test_tls \
	tests/unit/store/test_store \
	tests/unit/store/test_store_lock \
	tests/unit/store/test_store_sqlite \
	tests/unit/store/test_store_sqlite_event \
	tests/unit/store/test_store_sqlite_open \
	tests/unit/store/test_store_sqlite_run \
	tests/unit/store/test_store_sqlite_day \
	tests/unit/store/test_store_sqlite_tally \
	tests/unit/store/test_store_sqlite_task \
	tests/unit/receiver/test_drill \
	tests/unit/receiver/test_intake \
	tests/unit/receiver/test_receiver \
	tests/unit/receiver/test_sandbox \
	tests/unit/keeper/test_batch \
	tests/unit/keeper/test_claim \
	tests/unit/keeper/test_describe \
	tests/unit/keeper/test_follow \
	tests/unit/keeper/test_hooks \
	tests/unit/keeper/test_looks \
	tests/unit/keeper/test_match \
	tests/unit/keeper/test_next \
	tests/unit/keeper/test_outcome \
	tests/unit/keeper/test_pauses \
	tests/unit/keeper/test_places \
	tests/unit/keeper/test_pace \
	tests/unit/keeper/test_supervise \
	tests/unit/gateway/test_account \
	tests/unit/gateway/test_adopt \
	tests/unit/gateway/test_control \
	tests/unit/gateway/test_gateway \
	tests/unit/gateway/test_call \
	tests/unit/gateway/test_mirror \
	tests/unit/gateway/test_mirror_fresh \
	tests/unit/gateway/test_mirror_route \
	tests/unit/gateway/test_mirror_shape \
	tests/unit/gateway/test_poll \
	tests/unit/gateway/test_prepare \
	tests/unit/gateway/test_question \
	tests/unit/gateway/test_submit \
	tests/unit/runner/test_breaker \
	tests/unit/runner/test_deliver_upload \
	tests/unit/runner/test_download \
	tests/unit/runner/test_download_crash \
	tests/unit/runner/test_exec \
	tests/unit/runner/test_live \
	tests/unit/runner/test_quota \
	tests/unit/runner/test_runner \
	tests/unit/runner/test_sweep \
	tests/unit/runner/test_trail \
	tests/unit/runner/test_tail \
	tests/unit/cli/test_body \
	tests/unit/cli/test_control \
	tests/unit/cli/test_files \
	tests/unit/cli/test_init \
	tests/unit/cli/test_main \
	tests/unit/cli/test_manual \
	tests/unit/cli/test_offline \
	tests/unit/cli/test_options \
	tests/unit/cli/test_progress \
	tests/unit/cli/test_render \
	tests/unit/cli/test_save \
	tests/unit/cli/test_stored \
	tests/unit/cli/test_signing \
	tests/unit/cli/test_suggest \
	tests/unit/cli/test_table \
	tests/unit/cli/test_term \
	tests/unit/cli/test_when \
	tests/unit/sim/test_sim_json \
	tests/unit/sim/test_sim_options \
	tests/unit/sim/test_sim_sign
endif

BASE_LAYER = \
	libbase.a
VIDU_LAYER = \
	libvidu.a \
	libbase.a \
	$(OPENSSL_LIBS) \
	$(JANSSON_LIBS)
CONF_LAYER = \
	libconf.a \
	libvidu.a \
	libbase.a \
	$(YAML_LIBS) \
	$(OPENSSL_LIBS) \
	$(JANSSON_LIBS)
WIRE_LAYER = \
	libwire.a \
	libvidu.a \
	libbase.a \
	$(EVENT_LIBS) \
	$(JANSSON_LIBS) \
	$(OPENSSL_LIBS)
HTTP_LAYER = \
	libhttp.a \
	libwire.a \
	libvidu.a \
	libbase.a \
	$(EVENT_EXTRA_LIBS) \
	$(EVENT_OPENSSL_LIBS) \
	$(CURL_LIBS) \
	$(EVENT_LIBS) \
	$(OPENSSL_LIBS) \
	$(JANSSON_LIBS)
STORE_LAYER = \
	libstore.a \
	libvidu.a \
	libbase.a \
	$(SQLITE_LIBS) \
	$(OPENSSL_LIBS) \
	$(JANSSON_LIBS)
RECEIVER_LAYER = \
	libreceiver.a \
	libhttp.a \
	libwire.a \
	libconf.a \
	libvidu.a \
	libbase.a \
	$(SECCOMP_LIBS) \
	$(EVENT_EXTRA_LIBS) \
	$(EVENT_OPENSSL_LIBS) \
	$(CURL_LIBS) \
	$(EVENT_LIBS) \
	$(OPENSSL_LIBS) \
	$(JANSSON_LIBS) \
	$(YAML_LIBS)
KEEPER_LAYER = \
	libkeeper.a \
	libstore.a \
	libwire.a \
	libconf.a \
	libvidu.a \
	libbase.a \
	$(EVENT_LIBS) \
	$(SQLITE_LIBS) \
	$(JANSSON_LIBS) \
	$(YAML_LIBS) \
	$(OPENSSL_LIBS)
GATEWAY_LAYER = \
	libgateway.a \
	libhttp.a \
	libwire.a \
	libconf.a \
	libvidu.a \
	libbase.a \
	$(EVENT_LIBS) \
	$(EVENT_EXTRA_LIBS) \
	$(EVENT_OPENSSL_LIBS) \
	$(CURL_LIBS) \
	$(OPENSSL_LIBS) \
	$(JANSSON_LIBS) \
	$(YAML_LIBS)
RUNNER_LAYER = \
	librunner.a \
	libhttp.a \
	libwire.a \
	libconf.a \
	libvidu.a \
	libbase.a \
	$(EVENT_LIBS) \
	$(EVENT_EXTRA_LIBS) \
	$(EVENT_OPENSSL_LIBS) \
	$(CURL_LIBS) \
	$(OPENSSL_LIBS) \
	$(JANSSON_LIBS) \
	$(YAML_LIBS)
CLI_LAYER = \
	libcli.a \
	libsim.a \
	libhttp.a \
	libstore.a \
	libwire.a \
	libconf.a \
	libvidu.a \
	libbase.a \
	$(EVENT_LIBS) \
	$(EVENT_EXTRA_LIBS) \
	$(EVENT_OPENSSL_LIBS) \
	$(CURL_LIBS) \
	$(OPENSSL_LIBS) \
	$(SQLITE_LIBS) \
	$(JANSSON_LIBS) \
	$(YAML_LIBS)
SIM_LAYER = \
	libsim.a \
	libhttp.a \
	libwire.a \
	libvidu.a \
	libbase.a \
	$(EVENT_LIBS) \
	$(EVENT_EXTRA_LIBS) \
	$(EVENT_OPENSSL_LIBS) \
	$(CURL_LIBS) \
	$(OPENSSL_LIBS) \
	$(JANSSON_LIBS)

tests_unit_base_test_clock_SOURCES = tests/unit/base/test_clock.c
tests_unit_base_test_clock_LDADD = $(BASE_LAYER) $(CMOCKA_LIBS)
tests_unit_base_test_buf_SOURCES = tests/unit/base/test_buf.c
tests_unit_base_test_buf_LDADD = $(BASE_LAYER) $(CMOCKA_LIBS)
tests_unit_base_test_encode_SOURCES = tests/unit/base/test_encode.c
tests_unit_base_test_encode_LDADD = $(BASE_LAYER) $(CMOCKA_LIBS)
tests_unit_base_test_fs_SOURCES = tests/unit/base/test_fs.c
tests_unit_base_test_fs_LDADD = $(BASE_LAYER) $(CMOCKA_LIBS)
tests_unit_base_test_log_SOURCES = tests/unit/base/test_log.c
tests_unit_base_test_log_LDADD = $(BASE_LAYER) $(CMOCKA_LIBS)
tests_unit_base_test_net_SOURCES = tests/unit/base/test_net.c
tests_unit_base_test_net_LDADD = $(BASE_LAYER) $(CMOCKA_LIBS)
tests_unit_base_test_proc_SOURCES = tests/unit/base/test_proc.c
tests_unit_base_test_proc_LDADD = $(BASE_LAYER) $(CMOCKA_LIBS)
tests_unit_base_test_str_SOURCES = tests/unit/base/test_str.c
tests_unit_base_test_str_LDADD = $(BASE_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_expiry_SOURCES = tests/unit/vidu/test_expiry.c
tests_unit_vidu_test_expiry_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_answer_SOURCES = tests/unit/vidu/test_answer.c
tests_unit_vidu_test_answer_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_callback_SOURCES = tests/unit/vidu/test_callback.c
tests_unit_vidu_test_callback_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_compose_SOURCES = tests/unit/vidu/test_compose.c
tests_unit_vidu_test_compose_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_crypto_SOURCES = tests/unit/vidu/test_crypto.c
tests_unit_vidu_test_crypto_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_document_SOURCES = tests/unit/vidu/test_document.c
tests_unit_vidu_test_document_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_endpoint_SOURCES = tests/unit/vidu/test_endpoint.c
tests_unit_vidu_test_endpoint_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_id_SOURCES = tests/unit/vidu/test_id.c
tests_unit_vidu_test_id_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_key_SOURCES = tests/unit/vidu/test_key.c
tests_unit_vidu_test_key_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_library_SOURCES = tests/unit/vidu/test_library.c
tests_unit_vidu_test_library_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_nearest_SOURCES = tests/unit/vidu/test_nearest.c
tests_unit_vidu_test_nearest_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_nfo_SOURCES = tests/unit/vidu/test_nfo.c
tests_unit_vidu_test_nfo_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_outline_SOURCES = tests/unit/vidu/test_outline.c
tests_unit_vidu_test_outline_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_percent_SOURCES = tests/unit/vidu/test_percent.c
tests_unit_vidu_test_percent_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_provider_SOURCES = tests/unit/vidu/test_provider.c
tests_unit_vidu_test_provider_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_redact_SOURCES = tests/unit/vidu/test_redact.c
tests_unit_vidu_test_redact_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_request_SOURCES = tests/unit/vidu/test_request.c
tests_unit_vidu_test_request_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_request_check_SOURCES = tests/unit/vidu/test_request_check.c
tests_unit_vidu_test_request_check_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_request_summary_SOURCES = tests/unit/vidu/test_request_summary.c
tests_unit_vidu_test_request_summary_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_result_kind_SOURCES = tests/unit/vidu/test_result_kind.c
tests_unit_vidu_test_result_kind_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_sign_SOURCES = tests/unit/vidu/test_sign.c
tests_unit_vidu_test_sign_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_state_SOURCES = tests/unit/vidu/test_state.c
tests_unit_vidu_test_state_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_tag_SOURCES = tests/unit/vidu/test_tag.c
tests_unit_vidu_test_tag_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_form_read_SOURCES = tests/unit/vidu/test_form_read.c
tests_unit_vidu_test_form_read_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_template_SOURCES = tests/unit/vidu/test_template.c
tests_unit_vidu_test_template_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_sigv4_SOURCES = tests/unit/vidu/test_sigv4.c
tests_unit_vidu_test_sigv4_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_webhook_SOURCES = tests/unit/vidu/test_webhook.c
tests_unit_vidu_test_webhook_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_vidu_test_template_file_name_SOURCES = tests/unit/vidu/test_template_file_name.c
tests_unit_vidu_test_template_file_name_LDADD = $(VIDU_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_SOURCES = tests/unit/conf/test_conf.c
tests_unit_conf_test_conf_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_command_SOURCES = tests/unit/conf/test_conf_command.c
tests_unit_conf_test_conf_command_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_check_SOURCES = tests/unit/conf/test_conf_check.c
tests_unit_conf_test_conf_check_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_range_SOURCES = tests/unit/conf/test_conf_range.c
tests_unit_conf_test_conf_range_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_hook_SOURCES = tests/unit/conf/test_conf_hook.c
tests_unit_conf_test_conf_hook_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_http_SOURCES = tests/unit/conf/test_conf_http.c
tests_unit_conf_test_conf_http_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_init_SOURCES = tests/unit/conf/test_conf_init.c
tests_unit_conf_test_conf_init_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_listen_SOURCES = tests/unit/conf/test_conf_listen.c
tests_unit_conf_test_conf_listen_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_node_SOURCES = tests/unit/conf/test_conf_node.c
tests_unit_conf_test_conf_node_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_path_SOURCES = tests/unit/conf/test_conf_path.c
tests_unit_conf_test_conf_path_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_provider_SOURCES = tests/unit/conf/test_conf_provider.c
tests_unit_conf_test_conf_provider_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_secret_SOURCES = tests/unit/conf/test_conf_secret.c
tests_unit_conf_test_conf_secret_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_show_SOURCES = tests/unit/conf/test_conf_show.c
tests_unit_conf_test_conf_show_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_table_SOURCES = tests/unit/conf/test_conf_table.c
tests_unit_conf_test_conf_table_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_type_SOURCES = tests/unit/conf/test_conf_type.c
tests_unit_conf_test_conf_type_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_url_SOURCES = tests/unit/conf/test_conf_url.c
tests_unit_conf_test_conf_url_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_warn_SOURCES = tests/unit/conf/test_conf_warn.c
tests_unit_conf_test_conf_warn_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_conf_test_conf_yaml_SOURCES = tests/unit/conf/test_conf_yaml.c
tests_unit_conf_test_conf_yaml_LDADD = $(CONF_LAYER) $(CMOCKA_LIBS)
tests_unit_wire_test_channel_SOURCES = tests/unit/wire/test_channel.c
tests_unit_wire_test_channel_LDADD = $(WIRE_LAYER) $(CMOCKA_LIBS)
tests_unit_wire_test_channel_blocking_SOURCES = tests/unit/wire/test_channel_blocking.c
tests_unit_wire_test_channel_blocking_LDADD = $(WIRE_LAYER) $(CMOCKA_LIBS)
tests_unit_wire_test_frame_SOURCES = tests/unit/wire/test_frame.c
tests_unit_wire_test_frame_LDADD = $(WIRE_LAYER) $(CMOCKA_LIBS)
tests_unit_wire_test_hello_SOURCES = tests/unit/wire/test_hello.c
tests_unit_wire_test_hello_LDADD = $(WIRE_LAYER) $(CMOCKA_LIBS)
tests_unit_wire_test_message_SOURCES = tests/unit/wire/test_message.c
tests_unit_wire_test_message_LDADD = $(WIRE_LAYER) $(CMOCKA_LIBS)
tests_unit_wire_test_report_SOURCES = tests/unit/wire/test_report.c
tests_unit_wire_test_report_LDADD = $(WIRE_LAYER) $(CMOCKA_LIBS)
tests_unit_wire_test_path_map_SOURCES = tests/unit/wire/test_path_map.c
tests_unit_wire_test_path_map_LDADD = $(WIRE_LAYER) $(CMOCKA_LIBS)
tests_unit_wire_test_run_SOURCES = tests/unit/wire/test_run.c
tests_unit_wire_test_run_LDADD = $(WIRE_LAYER) $(CMOCKA_LIBS)
tests_unit_http_test_address_SOURCES = tests/unit/http/test_address.c
tests_unit_http_test_address_LDADD = $(HTTP_LAYER) $(CMOCKA_LIBS)
tests_unit_http_test_chunk_SOURCES = tests/unit/http/test_chunk.c
tests_unit_http_test_chunk_LDADD = $(HTTP_LAYER) $(CMOCKA_LIBS)
tests_unit_http_test_client_SOURCES = tests/unit/http/test_client.c
tests_unit_http_test_client_LDADD = $(HTTP_LAYER) $(CMOCKA_LIBS)
tests_unit_http_test_fetch_SOURCES = tests/unit/http/test_fetch.c
tests_unit_http_test_fetch_LDADD = $(HTTP_LAYER) $(CMOCKA_LIBS)
tests_unit_http_test_guard_SOURCES = tests/unit/http/test_guard.c
tests_unit_http_test_guard_LDADD = $(HTTP_LAYER) $(CMOCKA_LIBS)
tests_unit_http_test_head_SOURCES = tests/unit/http/test_head.c
tests_unit_http_test_head_LDADD = $(HTTP_LAYER) $(CMOCKA_LIBS)
tests_unit_http_test_mp4_SOURCES = tests/unit/http/test_mp4.c
tests_unit_http_test_mp4_LDADD = $(HTTP_LAYER) $(CMOCKA_LIBS)
tests_unit_http_test_server_SOURCES = tests/unit/http/test_server.c
tests_unit_http_test_server_LDADD = $(HTTP_LAYER) $(CMOCKA_LIBS)
tests_unit_http_test_server_conn_SOURCES = tests/unit/http/test_server_conn.c
tests_unit_http_test_server_conn_LDADD = $(HTTP_LAYER) $(CMOCKA_LIBS)
tests_unit_http_test_server_linger_SOURCES = tests/unit/http/test_server_linger.c
tests_unit_http_test_server_linger_LDADD = $(HTTP_LAYER) $(CMOCKA_LIBS)
tests_unit_http_test_server_listen_SOURCES = tests/unit/http/test_server_listen.c
tests_unit_http_test_server_listen_LDADD = $(HTTP_LAYER) $(CMOCKA_LIBS)
tests_unit_http_test_server_places_SOURCES = tests/unit/http/test_server_places.c
tests_unit_http_test_server_places_LDADD = $(HTTP_LAYER) $(CMOCKA_LIBS)
tests_unit_http_test_source_SOURCES = tests/unit/http/test_source.c
tests_unit_http_test_source_LDADD = $(HTTP_LAYER) $(CMOCKA_LIBS)
tests_unit_http_test_tls_SOURCES = tests/unit/http/test_tls.c
tests_unit_http_test_tls_LDADD = $(HTTP_LAYER) $(CMOCKA_LIBS)
tests_unit_store_test_store_SOURCES = tests/unit/store/test_store.c
tests_unit_store_test_store_LDADD = $(STORE_LAYER) $(CMOCKA_LIBS)
tests_unit_store_test_store_lock_SOURCES = tests/unit/store/test_store_lock.c
tests_unit_store_test_store_lock_LDADD = $(STORE_LAYER) $(CMOCKA_LIBS)
tests_unit_store_test_store_sqlite_SOURCES = tests/unit/store/test_store_sqlite.c
tests_unit_store_test_store_sqlite_LDADD = $(STORE_LAYER) $(CMOCKA_LIBS)
tests_unit_store_test_store_sqlite_event_SOURCES = tests/unit/store/test_store_sqlite_event.c
tests_unit_store_test_store_sqlite_event_LDADD = $(STORE_LAYER) $(CMOCKA_LIBS)
tests_unit_store_test_store_sqlite_open_SOURCES = tests/unit/store/test_store_sqlite_open.c
tests_unit_store_test_store_sqlite_open_LDADD = $(STORE_LAYER) $(CMOCKA_LIBS)
tests_unit_store_test_store_sqlite_run_SOURCES = tests/unit/store/test_store_sqlite_run.c
tests_unit_store_test_store_sqlite_run_LDADD = $(STORE_LAYER) $(CMOCKA_LIBS)
tests_unit_store_test_store_sqlite_day_SOURCES = tests/unit/store/test_store_sqlite_day.c
tests_unit_store_test_store_sqlite_day_LDADD = $(STORE_LAYER) $(CMOCKA_LIBS)
tests_unit_store_test_store_sqlite_tally_SOURCES = tests/unit/store/test_store_sqlite_tally.c
tests_unit_store_test_store_sqlite_tally_LDADD = $(STORE_LAYER) $(CMOCKA_LIBS)
tests_unit_store_test_store_sqlite_task_SOURCES = tests/unit/store/test_store_sqlite_task.c
tests_unit_store_test_store_sqlite_task_LDADD = $(STORE_LAYER) $(CMOCKA_LIBS)
tests_unit_receiver_test_drill_SOURCES = tests/unit/receiver/test_drill.c
tests_unit_receiver_test_drill_LDADD = $(RECEIVER_LAYER) $(CMOCKA_LIBS)
tests_unit_receiver_test_intake_SOURCES = tests/unit/receiver/test_intake.c
tests_unit_receiver_test_intake_LDADD = $(RECEIVER_LAYER) $(CMOCKA_LIBS)
tests_unit_receiver_test_receiver_SOURCES = tests/unit/receiver/test_receiver.c
tests_unit_receiver_test_receiver_LDADD = $(RECEIVER_LAYER) $(CMOCKA_LIBS)
tests_unit_receiver_test_sandbox_SOURCES = tests/unit/receiver/test_sandbox.c
tests_unit_receiver_test_sandbox_LDADD = $(RECEIVER_LAYER) $(CMOCKA_LIBS)
tests_unit_keeper_test_batch_SOURCES = tests/unit/keeper/test_batch.c
tests_unit_keeper_test_batch_LDADD = $(KEEPER_LAYER) $(CMOCKA_LIBS)
tests_unit_keeper_test_claim_SOURCES = tests/unit/keeper/test_claim.c
tests_unit_keeper_test_claim_LDADD = $(KEEPER_LAYER) $(CMOCKA_LIBS)
tests_unit_keeper_test_describe_SOURCES = tests/unit/keeper/test_describe.c
tests_unit_keeper_test_describe_LDADD = $(KEEPER_LAYER) $(CMOCKA_LIBS)
tests_unit_keeper_test_follow_SOURCES = tests/unit/keeper/test_follow.c
tests_unit_keeper_test_follow_LDADD = $(KEEPER_LAYER) $(CMOCKA_LIBS)
tests_unit_keeper_test_hooks_SOURCES = tests/unit/keeper/test_hooks.c
tests_unit_keeper_test_hooks_LDADD = $(KEEPER_LAYER) $(CMOCKA_LIBS)
tests_unit_keeper_test_looks_SOURCES = tests/unit/keeper/test_looks.c
tests_unit_keeper_test_looks_LDADD = $(KEEPER_LAYER) $(CMOCKA_LIBS)
tests_unit_keeper_test_match_SOURCES = tests/unit/keeper/test_match.c
tests_unit_keeper_test_match_LDADD = $(KEEPER_LAYER) $(CMOCKA_LIBS)
tests_unit_keeper_test_pace_SOURCES = tests/unit/keeper/test_pace.c
tests_unit_keeper_test_pace_LDADD = $(KEEPER_LAYER) $(CMOCKA_LIBS)
tests_unit_keeper_test_pauses_SOURCES = tests/unit/keeper/test_pauses.c
tests_unit_keeper_test_pauses_LDADD = $(KEEPER_LAYER) $(CMOCKA_LIBS)
tests_unit_keeper_test_places_SOURCES = tests/unit/keeper/test_places.c
tests_unit_keeper_test_places_LDADD = $(KEEPER_LAYER) $(CMOCKA_LIBS)
tests_unit_keeper_test_next_SOURCES = tests/unit/keeper/test_next.c
tests_unit_keeper_test_next_LDADD = $(KEEPER_LAYER) $(CMOCKA_LIBS)
tests_unit_keeper_test_outcome_SOURCES = tests/unit/keeper/test_outcome.c
tests_unit_keeper_test_outcome_LDADD = $(KEEPER_LAYER) $(CMOCKA_LIBS)
tests_unit_keeper_test_supervise_SOURCES = tests/unit/keeper/test_supervise.c
tests_unit_keeper_test_supervise_LDADD = $(KEEPER_LAYER) $(CMOCKA_LIBS)
tests_unit_gateway_test_account_SOURCES = tests/unit/gateway/test_account.c
tests_unit_gateway_test_account_LDADD = $(GATEWAY_LAYER) $(CMOCKA_LIBS)
tests_unit_gateway_test_adopt_SOURCES = tests/unit/gateway/test_adopt.c
tests_unit_gateway_test_adopt_LDADD = $(GATEWAY_LAYER) $(CMOCKA_LIBS)
tests_unit_gateway_test_control_SOURCES = tests/unit/gateway/test_control.c
tests_unit_gateway_test_control_LDADD = $(GATEWAY_LAYER) $(CMOCKA_LIBS)
tests_unit_gateway_test_gateway_SOURCES = tests/unit/gateway/test_gateway.c
tests_unit_gateway_test_gateway_LDADD = $(GATEWAY_LAYER) $(CMOCKA_LIBS)
tests_unit_gateway_test_call_SOURCES = tests/unit/gateway/test_call.c
tests_unit_gateway_test_call_LDADD = $(GATEWAY_LAYER) $(CMOCKA_LIBS)
tests_unit_gateway_test_poll_SOURCES = tests/unit/gateway/test_poll.c
tests_unit_gateway_test_poll_LDADD = $(GATEWAY_LAYER) $(CMOCKA_LIBS)
tests_unit_gateway_test_prepare_SOURCES = tests/unit/gateway/test_prepare.c
tests_unit_gateway_test_prepare_LDADD = $(GATEWAY_LAYER) $(CMOCKA_LIBS)
tests_unit_gateway_test_mirror_SOURCES = tests/unit/gateway/test_mirror.c
tests_unit_gateway_test_mirror_LDADD = $(GATEWAY_LAYER) $(CMOCKA_LIBS)
tests_unit_gateway_test_mirror_fresh_SOURCES = tests/unit/gateway/test_mirror_fresh.c
tests_unit_gateway_test_mirror_fresh_LDADD = $(GATEWAY_LAYER) $(CMOCKA_LIBS)
tests_unit_gateway_test_mirror_route_SOURCES = tests/unit/gateway/test_mirror_route.c
tests_unit_gateway_test_mirror_route_LDADD = $(GATEWAY_LAYER) $(CMOCKA_LIBS)
tests_unit_gateway_test_mirror_shape_SOURCES = tests/unit/gateway/test_mirror_shape.c
tests_unit_gateway_test_mirror_shape_LDADD = $(GATEWAY_LAYER) $(CMOCKA_LIBS)
tests_unit_gateway_test_question_SOURCES = tests/unit/gateway/test_question.c
tests_unit_gateway_test_question_LDADD = $(GATEWAY_LAYER) $(CMOCKA_LIBS)
tests_unit_gateway_test_submit_SOURCES = tests/unit/gateway/test_submit.c
tests_unit_gateway_test_submit_LDADD = $(GATEWAY_LAYER) $(CMOCKA_LIBS)
tests_unit_runner_test_breaker_SOURCES = tests/unit/runner/test_breaker.c
tests_unit_runner_test_breaker_LDADD = $(RUNNER_LAYER) $(CMOCKA_LIBS)
tests_unit_runner_test_deliver_upload_SOURCES = tests/unit/runner/test_deliver_upload.c
tests_unit_runner_test_deliver_upload_LDADD = $(RUNNER_LAYER) $(CMOCKA_LIBS)
tests_unit_runner_test_download_SOURCES = tests/unit/runner/test_download.c
tests_unit_runner_test_download_LDADD = $(RUNNER_LAYER) $(CMOCKA_LIBS)
tests_unit_runner_test_download_crash_SOURCES = tests/unit/runner/test_download_crash.c
tests_unit_runner_test_download_crash_LDADD = $(RUNNER_LAYER) $(CMOCKA_LIBS)
tests_unit_runner_test_exec_SOURCES = tests/unit/runner/test_exec.c
tests_unit_runner_test_exec_LDADD = $(RUNNER_LAYER) $(CMOCKA_LIBS)
tests_unit_runner_test_quota_SOURCES = tests/unit/runner/test_quota.c
tests_unit_runner_test_quota_LDADD = $(RUNNER_LAYER) $(CMOCKA_LIBS)
tests_unit_runner_test_runner_SOURCES = tests/unit/runner/test_runner.c
tests_unit_runner_test_runner_LDADD = $(RUNNER_LAYER) $(CMOCKA_LIBS)
tests_unit_runner_test_sweep_SOURCES = tests/unit/runner/test_sweep.c
tests_unit_runner_test_sweep_LDADD = $(RUNNER_LAYER) $(CMOCKA_LIBS)
tests_unit_runner_test_trail_SOURCES = tests/unit/runner/test_trail.c
tests_unit_runner_test_trail_LDADD = $(RUNNER_LAYER) $(CMOCKA_LIBS)
tests_unit_runner_test_live_SOURCES = tests/unit/runner/test_live.c
tests_unit_runner_test_live_LDADD = $(RUNNER_LAYER) $(CMOCKA_LIBS)
tests_unit_runner_test_tail_SOURCES = tests/unit/runner/test_tail.c
tests_unit_runner_test_tail_LDADD = $(RUNNER_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_body_SOURCES = tests/unit/cli/test_body.c
tests_unit_cli_test_body_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_control_SOURCES = tests/unit/cli/test_control.c
tests_unit_cli_test_control_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_files_SOURCES = tests/unit/cli/test_files.c
tests_unit_cli_test_files_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_init_SOURCES = tests/unit/cli/test_init.c
tests_unit_cli_test_init_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_main_SOURCES = tests/unit/cli/test_main.c
tests_unit_cli_test_main_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_manual_SOURCES = tests/unit/cli/test_manual.c
tests_unit_cli_test_manual_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_offline_SOURCES = tests/unit/cli/test_offline.c
tests_unit_cli_test_offline_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_options_SOURCES = tests/unit/cli/test_options.c
tests_unit_cli_test_options_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_progress_SOURCES = tests/unit/cli/test_progress.c
tests_unit_cli_test_progress_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_render_SOURCES = tests/unit/cli/test_render.c
tests_unit_cli_test_render_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_stored_SOURCES = tests/unit/cli/test_stored.c
tests_unit_cli_test_stored_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_save_SOURCES = tests/unit/cli/test_save.c
tests_unit_cli_test_save_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_signing_SOURCES = tests/unit/cli/test_signing.c
tests_unit_cli_test_signing_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_suggest_SOURCES = tests/unit/cli/test_suggest.c
tests_unit_cli_test_suggest_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_table_SOURCES = tests/unit/cli/test_table.c
tests_unit_cli_test_table_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_term_SOURCES = tests/unit/cli/test_term.c
tests_unit_cli_test_term_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_cli_test_when_SOURCES = tests/unit/cli/test_when.c
tests_unit_cli_test_when_LDADD = $(CLI_LAYER) $(CMOCKA_LIBS)
tests_unit_sim_test_sim_json_SOURCES = tests/unit/sim/test_sim_json.c
tests_unit_sim_test_sim_json_LDADD = $(SIM_LAYER) $(CMOCKA_LIBS)
tests_unit_sim_test_sim_options_SOURCES = tests/unit/sim/test_sim_options.c
tests_unit_sim_test_sim_options_LDADD = $(SIM_LAYER) $(CMOCKA_LIBS)
tests_unit_sim_test_sim_sign_SOURCES = tests/unit/sim/test_sim_sign.c
tests_unit_sim_test_sim_sign_LDADD = $(SIM_LAYER) $(CMOCKA_LIBS)

## -- fuzz drivers, replayed over their corpora --
REPLAY_TESTS =
REPLAY_TESTS += tests/fuzz/replay_callback
tests_fuzz_replay_callback_SOURCES = tests/fuzz/fuzz_callback.c tests/fuzz/replay.c
tests_fuzz_replay_callback_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_NAME='"callback"'
tests_fuzz_replay_callback_LDADD = $(VIDU_LAYER)
REPLAY_TESTS += tests/fuzz/replay_chunk
tests_fuzz_replay_chunk_SOURCES = tests/fuzz/fuzz_chunk.c tests/fuzz/replay.c
tests_fuzz_replay_chunk_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_NAME='"chunk"'
tests_fuzz_replay_chunk_LDADD = $(HTTP_LAYER)
REPLAY_TESTS += tests/fuzz/replay_conf
tests_fuzz_replay_conf_SOURCES = tests/fuzz/fuzz_conf.c tests/fuzz/replay.c
tests_fuzz_replay_conf_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_NAME='"conf"'
tests_fuzz_replay_conf_LDADD = $(CONF_LAYER)
REPLAY_TESTS += tests/fuzz/replay_form
tests_fuzz_replay_form_SOURCES = tests/fuzz/fuzz_form.c tests/fuzz/replay.c
tests_fuzz_replay_form_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_NAME='"form"'
tests_fuzz_replay_form_LDADD = $(VIDU_LAYER)
REPLAY_TESTS += tests/fuzz/replay_frame
tests_fuzz_replay_frame_SOURCES = tests/fuzz/fuzz_frame.c tests/fuzz/replay.c
tests_fuzz_replay_frame_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_NAME='"frame"'
tests_fuzz_replay_frame_LDADD = $(WIRE_LAYER)
REPLAY_TESTS += tests/fuzz/replay_guard
tests_fuzz_replay_guard_SOURCES = tests/fuzz/fuzz_guard.c tests/fuzz/replay.c
tests_fuzz_replay_guard_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_NAME='"guard"'
tests_fuzz_replay_guard_LDADD = $(HTTP_LAYER)
REPLAY_TESTS += tests/fuzz/replay_head
tests_fuzz_replay_head_SOURCES = tests/fuzz/fuzz_head.c tests/fuzz/replay.c
tests_fuzz_replay_head_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_NAME='"head"'
tests_fuzz_replay_head_LDADD = $(HTTP_LAYER)
REPLAY_TESTS += tests/fuzz/replay_mp4
tests_fuzz_replay_mp4_SOURCES = tests/fuzz/fuzz_mp4.c tests/fuzz/replay.c
tests_fuzz_replay_mp4_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_NAME='"mp4"'
tests_fuzz_replay_mp4_LDADD = $(HTTP_LAYER)
REPLAY_TESTS += tests/fuzz/replay_nfo
tests_fuzz_replay_nfo_SOURCES = tests/fuzz/fuzz_nfo.c tests/fuzz/replay.c
tests_fuzz_replay_nfo_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_NAME='"nfo"'
tests_fuzz_replay_nfo_LDADD = $(VIDU_LAYER)
REPLAY_TESTS += tests/fuzz/replay_request
tests_fuzz_replay_request_SOURCES = tests/fuzz/fuzz_request.c tests/fuzz/replay.c
tests_fuzz_replay_request_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_NAME='"request"'
tests_fuzz_replay_request_LDADD = $(VIDU_LAYER)
REPLAY_TESTS += tests/fuzz/replay_sign
tests_fuzz_replay_sign_SOURCES = tests/fuzz/fuzz_sign.c tests/fuzz/replay.c
tests_fuzz_replay_sign_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_NAME='"sign"'
tests_fuzz_replay_sign_LDADD = $(VIDU_LAYER)
REPLAY_TESTS += tests/fuzz/replay_template
tests_fuzz_replay_template_SOURCES = tests/fuzz/fuzz_template.c tests/fuzz/replay.c
tests_fuzz_replay_template_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_NAME='"template"'
tests_fuzz_replay_template_LDADD = $(VIDU_LAYER)

## -- whole programs --
SYSTEM_TESTS = tests/run-lint.sh \
	tests/e2e/test_again.py \
	tests/e2e/test_explain.py \
	tests/e2e/test_catalogue.py \
	tests/e2e/test_accounts.py \
	tests/e2e/test_endpoints.py \
	tests/e2e/test_upload.py \
	tests/e2e/test_pages.py \
	tests/e2e/test_cli.py \
	tests/e2e/test_cli_errors.py \
	tests/e2e/test_contrib_hooks.py \
	tests/e2e/test_deliver.py \
	tests/e2e/test_doctor.py \
	tests/e2e/test_download.py \
	tests/e2e/test_file_zoo.py \
	tests/e2e/test_files.py \
	tests/e2e/test_gateway.py \
	tests/e2e/test_gateway_limits.py \
	tests/e2e/test_gateway_shapes.py \
	tests/e2e/test_hook_zoo.py \
	tests/e2e/test_hooks.py \
	tests/e2e/test_http_strict.py \
	tests/e2e/test_judge.py \
	tests/e2e/test_keeper.py \
	tests/e2e/test_kodi.py \
	tests/e2e/test_alarms.py \
	tests/e2e/test_calls.py \
	tests/e2e/test_missed.py \
	tests/e2e/test_spend.py \
	tests/e2e/test_lost.py \
	tests/e2e/test_minidlna.py \
	tests/e2e/test_real_targets.py \
	tests/e2e/test_receive.py \
	tests/e2e/test_reload.py \
	tests/e2e/test_rooms.py \
	tests/e2e/test_service.py \
	tests/e2e/test_sim.py \
	tests/e2e/test_sim_callbacks.py \
	tests/e2e/test_submit.py \
	tests/crash/test_faults.py \
	tests/crash/test_kill.py

TEST_EXTENSIONS = .sh .py
PY_LOG_COMPILER = $(PYTHON3) -m pytest
AM_PY_LOG_FLAGS = -q -rs --color=no -p no:cacheprovider
TESTS += $(UNIT_TESTS) $(REPLAY_TESTS) $(SYSTEM_TESTS)
check_PROGRAMS += $(UNIT_TESTS) $(REPLAY_TESTS)
AM_TESTS_ENVIRONMENT = VIDUHOOK='$(abs_builddir)/viduhook' VIDUHOOKD='$(abs_builddir)/viduhookd' \
	PYTHON3='$(PYTHON3)' PYTHONDONTWRITEBYTECODE=1; \
	export VIDUHOOK VIDUHOOKD PYTHON3 PYTHONDONTWRITEBYTECODE;

## -- programs of the bench --
BENCH_BINARIES = tests/bench/bare_evhttp tests/bench/bench_store tests/bench/fill_store \
	tests/bench/spawn_loop
EXTRA_PROGRAMS += $(BENCH_BINARIES)
CLEANFILES += $(BENCH_BINARIES)
tests_bench_bare_evhttp_LDADD = $(EVENT_EXTRA_LIBS) $(EVENT_OPENSSL_LIBS) $(EVENT_LIBS) $(OPENSSL_LIBS)
tests_bench_bench_store_LDADD = $(STORE_LAYER)
tests_bench_fill_store_LDADD = $(STORE_LAYER)
bench-programs: $(BENCH_BINARIES)

EXTRA_DIST += \
	tests/count.py \
	tests/lint.py \
	tests/fuzz/fuzz.sh \
	tests/fuzz/corpus \
	tests/fuzz/conf.dict \
	tests/e2e/conftest.py \
	tests/e2e/harness.py \
	tests/e2e/life.py \
	tests/e2e/mirror.py \
	tests/e2e/provider.py \
	tests/e2e/web.py \
	tests/e2e/zoo/beast.py \
	tests/e2e/zoo/files.py \
	tests/crash/conftest.py \
	tests/crash/shim.c \
	tests/bench/bench.py \
	tests/bench/bench_runs.py \
	tests/bench/bench_gateway.py \
	tests/bench/creates.lua \
	tests/bench/bench_hooks.py \
	tests/bench/callbacks.lua \
	tests/fixtures/file_server.py \
	tests/unit/cli/fake_daemon.h \
	tests/unit/conf/conf_fixture.h \
	tests/unit/gateway/gateway_fixture.h \
	tests/unit/http/file_server.h \
	tests/unit/http/server_fixture.h \
	tests/unit/receiver/room_fixture.h \
	tests/fixtures/gateway/cancelled.json \
	tests/fixtures/gateway/created.json \
	tests/fixtures/gateway/failed.json \
	tests/fixtures/gateway/list.json \
	tests/fixtures/gateway/octopusx-failed.json \
	tests/fixtures/gateway/octopusx-success.json \
	tests/fixtures/gateway/octopusx-openai-failed.json \
	tests/fixtures/gateway/octopusx-openai-success.json \
	tests/fixtures/gateway/powertokens-failed.json \
	tests/fixtures/gateway/powertokens-success.json \
	tests/fixtures/gateway/processing.json \
	tests/fixtures/gateway/success.json \
	tests/unit/keeper/task_fixture.h \
	tests/unit/store/store_fixture.h \
	tests/e2e/test_again.py \
	tests/e2e/test_explain.py \
	tests/e2e/test_catalogue.py \
	tests/e2e/test_accounts.py \
	tests/e2e/test_endpoints.py \
	tests/e2e/test_upload.py \
	tests/e2e/test_pages.py \
	tests/e2e/test_cli.py \
	tests/e2e/test_cli_errors.py \
	tests/e2e/test_contrib_hooks.py \
	tests/e2e/test_deliver.py \
	tests/e2e/test_doctor.py \
	tests/e2e/test_download.py \
	tests/e2e/test_file_zoo.py \
	tests/e2e/test_files.py \
	tests/e2e/test_gateway.py \
	tests/e2e/test_gateway_limits.py \
	tests/e2e/test_gateway_shapes.py \
	tests/e2e/test_hook_zoo.py \
	tests/e2e/test_hooks.py \
	tests/e2e/test_http_strict.py \
	tests/e2e/test_judge.py \
	tests/e2e/test_keeper.py \
	tests/e2e/test_kodi.py \
	tests/e2e/test_alarms.py \
	tests/e2e/test_calls.py \
	tests/e2e/test_missed.py \
	tests/e2e/test_spend.py \
	tests/e2e/test_lost.py \
	tests/e2e/test_minidlna.py \
	tests/e2e/test_real_targets.py \
	tests/e2e/test_receive.py \
	tests/e2e/test_reload.py \
	tests/e2e/test_rooms.py \
	tests/e2e/test_service.py \
	tests/e2e/test_sim.py \
	tests/e2e/test_sim_callbacks.py \
	tests/e2e/test_submit.py \
	tests/crash/test_faults.py \
	tests/crash/test_kill.py \
	tests/run-lint.sh
