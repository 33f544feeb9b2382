// Printed by tools/print-pg-catalog.ts from PostgreSQL 15. A relation, then its columns, each with a letter for its type.

export const pgCatalogColumns = `
  pg_aggregate aggfnoid:o aggkind:t aggnumdirectargs:s aggtransfn:o aggfinalfn:o aggcombinefn:o aggserialfn:o
    aggdeserialfn:o aggmtransfn:o aggminvtransfn:o aggmfinalfn:o aggfinalextra:b aggmfinalextra:b aggfinalmodify:t
    aggmfinalmodify:t aggsortop:o aggtranstype:o aggtransspace:i aggmtranstype:o aggmtransspace:i agginitval:t
    aggminitval:t
  pg_am oid:o amname:t amhandler:o amtype:t
  pg_amop oid:o amopfamily:o amoplefttype:o amoprighttype:o amopstrategy:s amoppurpose:t amopopr:o amopmethod:o
    amopsortfamily:o
  pg_amproc oid:o amprocfamily:o amproclefttype:o amprocrighttype:o amprocnum:s amproc:o
  pg_attrdef oid:o adrelid:o adnum:s adbin:t
  pg_attribute attrelid:o attname:t atttypid:o attstattarget:i attlen:s attnum:s attndims:i attcacheoff:i atttypmod:i
    attbyval:b attalign:t attstorage:t attcompression:t attnotnull:b atthasdef:b atthasmissing:b attidentity:t
    attgenerated:t attisdropped:b attislocal:b attinhcount:i attcollation:o attacl:T attoptions:T attfdwoptions:T
    attmissingval:t
  pg_auth_members roleid:o member:o grantor:o admin_option:b
  pg_authid oid:o rolname:t rolsuper:b rolinherit:b rolcreaterole:b rolcreatedb:b rolcanlogin:b rolreplication:b
    rolbypassrls:b rolconnlimit:i rolpassword:t rolvaliduntil:z
  pg_available_extension_versions name:t version:t installed:b superuser:b trusted:b relocatable:b schema:t
    requires:T comment:t
  pg_available_extensions name:t default_version:t installed_version:t comment:t
  pg_backend_memory_contexts name:t ident:t parent:t level:i total_bytes:l total_nblocks:l free_bytes:l free_chunks:l
    used_bytes:l
  pg_cast oid:o castsource:o casttarget:o castfunc:o castcontext:t castmethod:t
  pg_class oid:o relname:t relnamespace:o reltype:o reloftype:o relowner:o relam:o relfilenode:o reltablespace:o
    relpages:i reltuples:f relallvisible:i reltoastrelid:o relhasindex:b relisshared:b relpersistence:t relkind:t
    relnatts:s relchecks:s relhasrules:b relhastriggers:b relhassubclass:b relrowsecurity:b relforcerowsecurity:b
    relispopulated:b relreplident:t relispartition:b relrewrite:o relfrozenxid:o relminmxid:o relacl:T reloptions:T
    relpartbound:t
  pg_collation oid:o collname:t collnamespace:o collowner:o collprovider:t collisdeterministic:b collencoding:i
    collcollate:t collctype:t colliculocale:t collversion:t
  pg_config name:t setting:t
  pg_constraint oid:o conname:t connamespace:o contype:t condeferrable:b condeferred:b convalidated:b conrelid:o
    contypid:o conindid:o conparentid:o confrelid:o confupdtype:t confdeltype:t confmatchtype:t conislocal:b
    coninhcount:i connoinherit:b conkey:S confkey:S conpfeqop:O conppeqop:O conffeqop:O confdelsetcols:S conexclop:O
    conbin:t
  pg_conversion oid:o conname:t connamespace:o conowner:o conforencoding:i contoencoding:i conproc:o condefault:b
  pg_cursors name:t statement:t is_holdable:b is_binary:b is_scrollable:b creation_time:z
  pg_database oid:o datname:t datdba:o encoding:i datlocprovider:t datistemplate:b datallowconn:b datconnlimit:i
    datfrozenxid:o datminmxid:o dattablespace:o datcollate:t datctype:t daticulocale:t datcollversion:t datacl:T
  pg_db_role_setting setdatabase:o setrole:o setconfig:T
  pg_default_acl oid:o defaclrole:o defaclnamespace:o defaclobjtype:t defaclacl:T
  pg_depend classid:o objid:o objsubid:i refclassid:o refobjid:o refobjsubid:i deptype:t
  pg_description objoid:o classoid:o objsubid:i description:t
  pg_enum oid:o enumtypid:o enumsortorder:f enumlabel:t
  pg_event_trigger oid:o evtname:t evtevent:t evtowner:o evtfoid:o evtenabled:t evttags:T
  pg_extension oid:o extname:t extowner:o extnamespace:o extrelocatable:b extversion:t extconfig:O extcondition:T
  pg_file_settings sourcefile:t sourceline:i seqno:i name:t setting:t applied:b error:t
  pg_foreign_data_wrapper oid:o fdwname:t fdwowner:o fdwhandler:o fdwvalidator:o fdwacl:T fdwoptions:T
  pg_foreign_server oid:o srvname:t srvowner:o srvfdw:o srvtype:t srvversion:t srvacl:T srvoptions:T
  pg_foreign_table ftrelid:o ftserver:o ftoptions:T
  pg_group groname:t grosysid:o grolist:O
  pg_hba_file_rules line_number:i type:t database:T user_name:T address:t netmask:t auth_method:t options:T error:t
  pg_ident_file_mappings line_number:i map_name:t sys_name:t pg_username:t error:t
  pg_index indexrelid:o indrelid:o indnatts:s indnkeyatts:s indisunique:b indnullsnotdistinct:b indisprimary:b
    indisexclusion:b indimmediate:b indisclustered:b indisvalid:b indcheckxmin:b indisready:b indislive:b
    indisreplident:b indkey:S indcollation:O indclass:O indoption:S indexprs:t indpred:t
  pg_indexes schemaname:t tablename:t indexname:t tablespace:t indexdef:t
  pg_inherits inhrelid:o inhparent:o inhseqno:i inhdetachpending:b
  pg_init_privs objoid:o classoid:o objsubid:i privtype:t initprivs:T
  pg_language oid:o lanname:t lanowner:o lanispl:b lanpltrusted:b lanplcallfoid:o laninline:o lanvalidator:o lanacl:T
  pg_largeobject loid:o pageno:i data:x
  pg_largeobject_metadata oid:o lomowner:o lomacl:T
  pg_locks locktype:t database:o relation:o page:i tuple:s virtualxid:t transactionid:o classid:o objid:o objsubid:s
    virtualtransaction:t pid:i mode:t granted:b fastpath:b waitstart:z
  pg_matviews schemaname:t matviewname:t matviewowner:t tablespace:t hasindexes:b ispopulated:b definition:t
  pg_namespace oid:o nspname:t nspowner:o nspacl:T
  pg_opclass oid:o opcmethod:o opcname:t opcnamespace:o opcowner:o opcfamily:o opcintype:o opcdefault:b opckeytype:o
  pg_operator oid:o oprname:t oprnamespace:o oprowner:o oprkind:t oprcanmerge:b oprcanhash:b oprleft:o oprright:o
    oprresult:o oprcom:o oprnegate:o oprcode:o oprrest:o oprjoin:o
  pg_opfamily oid:o opfmethod:o opfname:t opfnamespace:o opfowner:o
  pg_parameter_acl oid:o parname:t paracl:T
  pg_partitioned_table partrelid:o partstrat:t partnatts:s partdefid:o partattrs:S partclass:O partcollation:O
    partexprs:t
  pg_policies schemaname:t tablename:t policyname:t permissive:t roles:T cmd:t qual:t with_check:t
  pg_policy oid:o polname:t polrelid:o polcmd:t polpermissive:b polroles:O polqual:t polwithcheck:t
  pg_prepared_statements name:t statement:t prepare_time:z parameter_types:O from_sql:b generic_plans:l
    custom_plans:l
  pg_prepared_xacts transaction:o gid:t prepared:z owner:t database:t
  pg_proc oid:o proname:t pronamespace:o proowner:o prolang:o procost:f prorows:f provariadic:o prosupport:o
    prokind:t prosecdef:b proleakproof:b proisstrict:b proretset:b provolatile:t proparallel:t pronargs:s
    pronargdefaults:s prorettype:o proargtypes:O proallargtypes:O proargmodes:T proargnames:T proargdefaults:t
    protrftypes:O prosrc:t probin:t prosqlbody:t proconfig:T proacl:T
  pg_publication oid:o pubname:t pubowner:o puballtables:b pubinsert:b pubupdate:b pubdelete:b pubtruncate:b
    pubviaroot:b
  pg_publication_namespace oid:o pnpubid:o pnnspid:o
  pg_publication_rel oid:o prpubid:o prrelid:o prqual:t prattrs:S
  pg_publication_tables pubname:t schemaname:t tablename:t attnames:T rowfilter:t
  pg_range rngtypid:o rngsubtype:o rngmultitypid:o rngcollation:o rngsubopc:o rngcanonical:o rngsubdiff:o
  pg_replication_origin roident:o roname:t
  pg_replication_origin_status local_id:o external_id:t remote_lsn:t local_lsn:t
  pg_replication_slots slot_name:t plugin:t slot_type:t datoid:o database:t temporary:b active:b active_pid:i xmin:o
    catalog_xmin:o restart_lsn:t confirmed_flush_lsn:t wal_status:t safe_wal_size:l two_phase:b
  pg_rewrite oid:o rulename:t ev_class:o ev_type:t ev_enabled:t is_instead:b ev_qual:t ev_action:t
  pg_roles rolname:t rolsuper:b rolinherit:b rolcreaterole:b rolcreatedb:b rolcanlogin:b rolreplication:b
    rolconnlimit:i rolpassword:t rolvaliduntil:z rolbypassrls:b rolconfig:T oid:o
  pg_rules schemaname:t tablename:t rulename:t definition:t
  pg_seclabel objoid:o classoid:o objsubid:i provider:t label:t
  pg_seclabels objoid:o classoid:o objsubid:i objtype:t objnamespace:o objname:t provider:t label:t
  pg_sequence seqrelid:o seqtypid:o seqstart:l seqincrement:l seqmax:l seqmin:l seqcache:l seqcycle:b
  pg_sequences schemaname:t sequencename:t sequenceowner:t data_type:t start_value:l min_value:l max_value:l
    increment_by:l cycle:b cache_size:l last_value:l
  pg_settings name:t setting:t unit:t category:t short_desc:t extra_desc:t context:t vartype:t source:t min_val:t
    max_val:t enumvals:T boot_val:t reset_val:t sourcefile:t sourceline:i pending_restart:b
  pg_shadow usename:t usesysid:o usecreatedb:b usesuper:b userepl:b usebypassrls:b passwd:t valuntil:z useconfig:T
  pg_shdepend dbid:o classid:o objid:o objsubid:i refclassid:o refobjid:o deptype:t
  pg_shdescription objoid:o classoid:o description:t
  pg_shmem_allocations name:t off:l size:l allocated_size:l
  pg_shseclabel objoid:o classoid:o provider:t label:t
  pg_stat_activity datid:o datname:t pid:i leader_pid:i usesysid:o usename:t application_name:t client_addr:t
    client_hostname:t client_port:i backend_start:z xact_start:z query_start:z state_change:z wait_event_type:t
    wait_event:t state:t backend_xid:o backend_xmin:o query_id:l query:t backend_type:t
  pg_stat_all_indexes relid:o indexrelid:o schemaname:t relname:t indexrelname:t idx_scan:l idx_tup_read:l
    idx_tup_fetch:l
  pg_stat_all_tables relid:o schemaname:t relname:t seq_scan:l seq_tup_read:l idx_scan:l idx_tup_fetch:l n_tup_ins:l
    n_tup_upd:l n_tup_del:l n_tup_hot_upd:l n_live_tup:l n_dead_tup:l n_mod_since_analyze:l n_ins_since_vacuum:l
    last_vacuum:z last_autovacuum:z last_analyze:z last_autoanalyze:z vacuum_count:l autovacuum_count:l analyze_count:l
    autoanalyze_count:l
  pg_stat_archiver archived_count:l last_archived_wal:t last_archived_time:z failed_count:l last_failed_wal:t
    last_failed_time:z stats_reset:z
  pg_stat_bgwriter checkpoints_timed:l checkpoints_req:l checkpoint_write_time:d checkpoint_sync_time:d
    buffers_checkpoint:l buffers_clean:l maxwritten_clean:l buffers_backend:l buffers_backend_fsync:l buffers_alloc:l
    stats_reset:z
  pg_stat_database datid:o datname:t numbackends:i xact_commit:l xact_rollback:l blks_read:l blks_hit:l
    tup_returned:l tup_fetched:l tup_inserted:l tup_updated:l tup_deleted:l conflicts:l temp_files:l temp_bytes:l
    deadlocks:l checksum_failures:l checksum_last_failure:z blk_read_time:d blk_write_time:d session_time:d
    active_time:d idle_in_transaction_time:d sessions:l sessions_abandoned:l sessions_fatal:l sessions_killed:l
    stats_reset:z
  pg_stat_database_conflicts datid:o datname:t confl_tablespace:l confl_lock:l confl_snapshot:l confl_bufferpin:l
    confl_deadlock:l
  pg_stat_gssapi pid:i gss_authenticated:b principal:t encrypted:b
  pg_stat_progress_analyze pid:i datid:o datname:t relid:o phase:t sample_blks_total:l sample_blks_scanned:l
    ext_stats_total:l ext_stats_computed:l child_tables_total:l child_tables_done:l current_child_table_relid:o
  pg_stat_progress_basebackup pid:i phase:t backup_total:l backup_streamed:l tablespaces_total:l
    tablespaces_streamed:l
  pg_stat_progress_cluster pid:i datid:o datname:t relid:o command:t phase:t cluster_index_relid:o
    heap_tuples_scanned:l heap_tuples_written:l heap_blks_total:l heap_blks_scanned:l index_rebuild_count:l
  pg_stat_progress_copy pid:i datid:o datname:t relid:o command:t type:t bytes_processed:l bytes_total:l
    tuples_processed:l tuples_excluded:l
  pg_stat_progress_create_index pid:i datid:o datname:t relid:o index_relid:o command:t phase:t lockers_total:l
    lockers_done:l current_locker_pid:l blocks_total:l blocks_done:l tuples_total:l tuples_done:l partitions_total:l
    partitions_done:l
  pg_stat_progress_vacuum pid:i datid:o datname:t relid:o phase:t heap_blks_total:l heap_blks_scanned:l
    heap_blks_vacuumed:l index_vacuum_count:l max_dead_tuples:l num_dead_tuples:l
  pg_stat_recovery_prefetch stats_reset:z prefetch:l hit:l skip_init:l skip_new:l skip_fpw:l skip_rep:l
    wal_distance:i block_distance:i io_depth:i
  pg_stat_replication pid:i usesysid:o usename:t application_name:t client_addr:t client_hostname:t client_port:i
    backend_start:z backend_xmin:o state:t sent_lsn:t write_lsn:t flush_lsn:t replay_lsn:t write_lag:v flush_lag:v
    replay_lag:v sync_priority:i sync_state:t reply_time:z
  pg_stat_replication_slots slot_name:t spill_txns:l spill_count:l spill_bytes:l stream_txns:l stream_count:l
    stream_bytes:l total_txns:l total_bytes:l stats_reset:z
  pg_stat_slru name:t blks_zeroed:l blks_hit:l blks_read:l blks_written:l blks_exists:l flushes:l truncates:l
    stats_reset:z
  pg_stat_ssl pid:i ssl:b version:t cipher:t bits:i client_dn:t client_serial:d issuer_dn:t
  pg_stat_subscription subid:o subname:t pid:i relid:o received_lsn:t last_msg_send_time:z last_msg_receipt_time:z
    latest_end_lsn:t latest_end_time:z
  pg_stat_subscription_stats subid:o subname:t apply_error_count:l sync_error_count:l stats_reset:z
  pg_stat_sys_indexes relid:o indexrelid:o schemaname:t relname:t indexrelname:t idx_scan:l idx_tup_read:l
    idx_tup_fetch:l
  pg_stat_sys_tables relid:o schemaname:t relname:t seq_scan:l seq_tup_read:l idx_scan:l idx_tup_fetch:l n_tup_ins:l
    n_tup_upd:l n_tup_del:l n_tup_hot_upd:l n_live_tup:l n_dead_tup:l n_mod_since_analyze:l n_ins_since_vacuum:l
    last_vacuum:z last_autovacuum:z last_analyze:z last_autoanalyze:z vacuum_count:l autovacuum_count:l analyze_count:l
    autoanalyze_count:l
  pg_stat_user_functions funcid:o schemaname:t funcname:t calls:l total_time:d self_time:d
  pg_stat_user_indexes relid:o indexrelid:o schemaname:t relname:t indexrelname:t idx_scan:l idx_tup_read:l
    idx_tup_fetch:l
  pg_stat_user_tables relid:o schemaname:t relname:t seq_scan:l seq_tup_read:l idx_scan:l idx_tup_fetch:l n_tup_ins:l
    n_tup_upd:l n_tup_del:l n_tup_hot_upd:l n_live_tup:l n_dead_tup:l n_mod_since_analyze:l n_ins_since_vacuum:l
    last_vacuum:z last_autovacuum:z last_analyze:z last_autoanalyze:z vacuum_count:l autovacuum_count:l analyze_count:l
    autoanalyze_count:l
  pg_stat_wal wal_records:l wal_fpi:l wal_bytes:d wal_buffers_full:l wal_write:l wal_sync:l wal_write_time:d
    wal_sync_time:d stats_reset:z
  pg_stat_wal_receiver pid:i status:t receive_start_lsn:t receive_start_tli:i written_lsn:t flushed_lsn:t
    received_tli:i last_msg_send_time:z last_msg_receipt_time:z latest_end_lsn:t latest_end_time:z slot_name:t
    sender_host:t sender_port:i conninfo:t
  pg_stat_xact_all_tables relid:o schemaname:t relname:t seq_scan:l seq_tup_read:l idx_scan:l idx_tup_fetch:l
    n_tup_ins:l n_tup_upd:l n_tup_del:l n_tup_hot_upd:l
  pg_stat_xact_sys_tables relid:o schemaname:t relname:t seq_scan:l seq_tup_read:l idx_scan:l idx_tup_fetch:l
    n_tup_ins:l n_tup_upd:l n_tup_del:l n_tup_hot_upd:l
  pg_stat_xact_user_functions funcid:o schemaname:t funcname:t calls:l total_time:d self_time:d
  pg_stat_xact_user_tables relid:o schemaname:t relname:t seq_scan:l seq_tup_read:l idx_scan:l idx_tup_fetch:l
    n_tup_ins:l n_tup_upd:l n_tup_del:l n_tup_hot_upd:l
  pg_statio_all_indexes relid:o indexrelid:o schemaname:t relname:t indexrelname:t idx_blks_read:l idx_blks_hit:l
  pg_statio_all_sequences relid:o schemaname:t relname:t blks_read:l blks_hit:l
  pg_statio_all_tables relid:o schemaname:t relname:t heap_blks_read:l heap_blks_hit:l idx_blks_read:l idx_blks_hit:l
    toast_blks_read:l toast_blks_hit:l tidx_blks_read:l tidx_blks_hit:l
  pg_statio_sys_indexes relid:o indexrelid:o schemaname:t relname:t indexrelname:t idx_blks_read:l idx_blks_hit:l
  pg_statio_sys_sequences relid:o schemaname:t relname:t blks_read:l blks_hit:l
  pg_statio_sys_tables relid:o schemaname:t relname:t heap_blks_read:l heap_blks_hit:l idx_blks_read:l idx_blks_hit:l
    toast_blks_read:l toast_blks_hit:l tidx_blks_read:l tidx_blks_hit:l
  pg_statio_user_indexes relid:o indexrelid:o schemaname:t relname:t indexrelname:t idx_blks_read:l idx_blks_hit:l
  pg_statio_user_sequences relid:o schemaname:t relname:t blks_read:l blks_hit:l
  pg_statio_user_tables relid:o schemaname:t relname:t heap_blks_read:l heap_blks_hit:l idx_blks_read:l
    idx_blks_hit:l toast_blks_read:l toast_blks_hit:l tidx_blks_read:l tidx_blks_hit:l
  pg_statistic starelid:o staattnum:s stainherit:b stanullfrac:f stawidth:i stadistinct:f stakind1:s stakind2:s
    stakind3:s stakind4:s stakind5:s staop1:o staop2:o staop3:o staop4:o staop5:o stacoll1:o stacoll2:o stacoll3:o
    stacoll4:o stacoll5:o stanumbers1:F stanumbers2:F stanumbers3:F stanumbers4:F stanumbers5:F stavalues1:t
    stavalues2:t stavalues3:t stavalues4:t stavalues5:t
  pg_statistic_ext oid:o stxrelid:o stxname:t stxnamespace:o stxowner:o stxstattarget:i stxkeys:S stxkind:T
    stxexprs:t
  pg_statistic_ext_data stxoid:o stxdinherit:b stxdndistinct:t stxddependencies:t stxdmcv:t stxdexpr:t
  pg_stats schemaname:t tablename:t attname:t inherited:b null_frac:f avg_width:i n_distinct:f most_common_vals:t
    most_common_freqs:F histogram_bounds:t correlation:f most_common_elems:t most_common_elem_freqs:F
    elem_count_histogram:F
  pg_stats_ext schemaname:t tablename:t statistics_schemaname:t statistics_name:t statistics_owner:t attnames:T
    exprs:T kinds:T inherited:b n_distinct:t dependencies:t most_common_vals:T most_common_val_nulls:B
    most_common_freqs:F most_common_base_freqs:F
  pg_stats_ext_exprs schemaname:t tablename:t statistics_schemaname:t statistics_name:t statistics_owner:t expr:t
    inherited:b null_frac:f avg_width:i n_distinct:f most_common_vals:t most_common_freqs:F histogram_bounds:t
    correlation:f most_common_elems:t most_common_elem_freqs:F elem_count_histogram:F
  pg_subscription oid:o subdbid:o subskiplsn:t subname:t subowner:o subenabled:b subbinary:b substream:b
    subtwophasestate:t subdisableonerr:b subconninfo:t subslotname:t subsynccommit:t subpublications:T
  pg_subscription_rel srsubid:o srrelid:o srsubstate:t srsublsn:t
  pg_tables schemaname:t tablename:t tableowner:t tablespace:t hasindexes:b hasrules:b hastriggers:b rowsecurity:b
  pg_tablespace oid:o spcname:t spcowner:o spcacl:T spcoptions:T
  pg_timezone_abbrevs abbrev:t utc_offset:v is_dst:b
  pg_timezone_names name:t abbrev:t utc_offset:v is_dst:b
  pg_transform oid:o trftype:o trflang:o trffromsql:o trftosql:o
  pg_trigger oid:o tgrelid:o tgparentid:o tgname:t tgfoid:o tgtype:s tgenabled:t tgisinternal:b tgconstrrelid:o
    tgconstrindid:o tgconstraint:o tgdeferrable:b tginitdeferred:b tgnargs:s tgattr:S tgargs:x tgqual:t tgoldtable:t
    tgnewtable:t
  pg_ts_config oid:o cfgname:t cfgnamespace:o cfgowner:o cfgparser:o
  pg_ts_config_map mapcfg:o maptokentype:i mapseqno:i mapdict:o
  pg_ts_dict oid:o dictname:t dictnamespace:o dictowner:o dicttemplate:o dictinitoption:t
  pg_ts_parser oid:o prsname:t prsnamespace:o prsstart:o prstoken:o prsend:o prsheadline:o prslextype:o
  pg_ts_template oid:o tmplname:t tmplnamespace:o tmplinit:o tmpllexize:o
  pg_type oid:o typname:t typnamespace:o typowner:o typlen:s typbyval:b typtype:t typcategory:t typispreferred:b
    typisdefined:b typdelim:t typrelid:o typsubscript:o typelem:o typarray:o typinput:o typoutput:o typreceive:o
    typsend:o typmodin:o typmodout:o typanalyze:o typalign:t typstorage:t typnotnull:b typbasetype:o typtypmod:i
    typndims:i typcollation:o typdefaultbin:t typdefault:t typacl:T
  pg_user usename:t usesysid:o usecreatedb:b usesuper:b userepl:b usebypassrls:b passwd:t valuntil:z useconfig:T
  pg_user_mapping oid:o umuser:o umserver:o umoptions:T
  pg_user_mappings umid:o srvid:o srvname:t umuser:o usename:t umoptions:T
  pg_views schemaname:t viewname:t viewowner:t definition:t
`

export const informationSchemaColumns = `
  _pg_foreign_data_wrappers oid:o fdwowner:o fdwoptions:T foreign_data_wrapper_catalog:t foreign_data_wrapper_name:t
    authorization_identifier:t foreign_data_wrapper_language:t
  _pg_foreign_servers oid:o srvoptions:T foreign_server_catalog:t foreign_server_name:t
    foreign_data_wrapper_catalog:t foreign_data_wrapper_name:t foreign_server_type:t foreign_server_version:t
    authorization_identifier:t
  _pg_foreign_table_columns nspname:t relname:t attname:t attfdwoptions:T
  _pg_foreign_tables foreign_table_catalog:t foreign_table_schema:t foreign_table_name:t ftoptions:T
    foreign_server_catalog:t foreign_server_name:t authorization_identifier:t
  _pg_user_mappings oid:o umoptions:T umuser:o authorization_identifier:t foreign_server_catalog:t
    foreign_server_name:t srvowner:t
  administrable_role_authorizations grantee:t role_name:t is_grantable:t
  applicable_roles grantee:t role_name:t is_grantable:t
  attributes udt_catalog:t udt_schema:t udt_name:t attribute_name:t ordinal_position:i attribute_default:t
    is_nullable:t data_type:t character_maximum_length:i character_octet_length:i character_set_catalog:t
    character_set_schema:t character_set_name:t collation_catalog:t collation_schema:t collation_name:t
    numeric_precision:i numeric_precision_radix:i numeric_scale:i datetime_precision:i interval_type:t
    interval_precision:i attribute_udt_catalog:t attribute_udt_schema:t attribute_udt_name:t scope_catalog:t
    scope_schema:t scope_name:t maximum_cardinality:i dtd_identifier:t is_derived_reference_attribute:t
  character_sets character_set_catalog:t character_set_schema:t character_set_name:t character_repertoire:t
    form_of_use:t default_collate_catalog:t default_collate_schema:t default_collate_name:t
  check_constraint_routine_usage constraint_catalog:t constraint_schema:t constraint_name:t specific_catalog:t
    specific_schema:t specific_name:t
  check_constraints constraint_catalog:t constraint_schema:t constraint_name:t check_clause:t
  collation_character_set_applicability collation_catalog:t collation_schema:t collation_name:t
    character_set_catalog:t character_set_schema:t character_set_name:t
  collations collation_catalog:t collation_schema:t collation_name:t pad_attribute:t
  column_column_usage table_catalog:t table_schema:t table_name:t column_name:t dependent_column:t
  column_domain_usage domain_catalog:t domain_schema:t domain_name:t table_catalog:t table_schema:t table_name:t
    column_name:t
  column_options table_catalog:t table_schema:t table_name:t column_name:t option_name:t option_value:t
  column_privileges grantor:t grantee:t table_catalog:t table_schema:t table_name:t column_name:t privilege_type:t
    is_grantable:t
  column_udt_usage udt_catalog:t udt_schema:t udt_name:t table_catalog:t table_schema:t table_name:t column_name:t
  columns table_catalog:t table_schema:t table_name:t column_name:t ordinal_position:i column_default:t is_nullable:t
    data_type:t character_maximum_length:i character_octet_length:i numeric_precision:i numeric_precision_radix:i
    numeric_scale:i datetime_precision:i interval_type:t interval_precision:i character_set_catalog:t
    character_set_schema:t character_set_name:t collation_catalog:t collation_schema:t collation_name:t
    domain_catalog:t domain_schema:t domain_name:t udt_catalog:t udt_schema:t udt_name:t scope_catalog:t scope_schema:t
    scope_name:t maximum_cardinality:i dtd_identifier:t is_self_referencing:t is_identity:t identity_generation:t
    identity_start:t identity_increment:t identity_maximum:t identity_minimum:t identity_cycle:t is_generated:t
    generation_expression:t is_updatable:t
  constraint_column_usage table_catalog:t table_schema:t table_name:t column_name:t constraint_catalog:t
    constraint_schema:t constraint_name:t
  constraint_table_usage table_catalog:t table_schema:t table_name:t constraint_catalog:t constraint_schema:t
    constraint_name:t
  data_type_privileges object_catalog:t object_schema:t object_name:t object_type:t dtd_identifier:t
  domain_constraints constraint_catalog:t constraint_schema:t constraint_name:t domain_catalog:t domain_schema:t
    domain_name:t is_deferrable:t initially_deferred:t
  domain_udt_usage udt_catalog:t udt_schema:t udt_name:t domain_catalog:t domain_schema:t domain_name:t
  domains domain_catalog:t domain_schema:t domain_name:t data_type:t character_maximum_length:i
    character_octet_length:i character_set_catalog:t character_set_schema:t character_set_name:t collation_catalog:t
    collation_schema:t collation_name:t numeric_precision:i numeric_precision_radix:i numeric_scale:i
    datetime_precision:i interval_type:t interval_precision:i domain_default:t udt_catalog:t udt_schema:t udt_name:t
    scope_catalog:t scope_schema:t scope_name:t maximum_cardinality:i dtd_identifier:t
  element_types object_catalog:t object_schema:t object_name:t object_type:t collection_type_identifier:t data_type:t
    character_maximum_length:i character_octet_length:i character_set_catalog:t character_set_schema:t
    character_set_name:t collation_catalog:t collation_schema:t collation_name:t numeric_precision:i
    numeric_precision_radix:i numeric_scale:i datetime_precision:i interval_type:t interval_precision:i
    domain_default:t udt_catalog:t udt_schema:t udt_name:t scope_catalog:t scope_schema:t scope_name:t
    maximum_cardinality:i dtd_identifier:t
  enabled_roles role_name:t
  foreign_data_wrapper_options foreign_data_wrapper_catalog:t foreign_data_wrapper_name:t option_name:t
    option_value:t
  foreign_data_wrappers foreign_data_wrapper_catalog:t foreign_data_wrapper_name:t authorization_identifier:t
    library_name:t foreign_data_wrapper_language:t
  foreign_server_options foreign_server_catalog:t foreign_server_name:t option_name:t option_value:t
  foreign_servers foreign_server_catalog:t foreign_server_name:t foreign_data_wrapper_catalog:t
    foreign_data_wrapper_name:t foreign_server_type:t foreign_server_version:t authorization_identifier:t
  foreign_table_options foreign_table_catalog:t foreign_table_schema:t foreign_table_name:t option_name:t
    option_value:t
  foreign_tables foreign_table_catalog:t foreign_table_schema:t foreign_table_name:t foreign_server_catalog:t
    foreign_server_name:t
  information_schema_catalog_name catalog_name:t
  key_column_usage constraint_catalog:t constraint_schema:t constraint_name:t table_catalog:t table_schema:t
    table_name:t column_name:t ordinal_position:i position_in_unique_constraint:i
  parameters specific_catalog:t specific_schema:t specific_name:t ordinal_position:i parameter_mode:t is_result:t
    as_locator:t parameter_name:t data_type:t character_maximum_length:i character_octet_length:i
    character_set_catalog:t character_set_schema:t character_set_name:t collation_catalog:t collation_schema:t
    collation_name:t numeric_precision:i numeric_precision_radix:i numeric_scale:i datetime_precision:i interval_type:t
    interval_precision:i udt_catalog:t udt_schema:t udt_name:t scope_catalog:t scope_schema:t scope_name:t
    maximum_cardinality:i dtd_identifier:t parameter_default:t
  referential_constraints constraint_catalog:t constraint_schema:t constraint_name:t unique_constraint_catalog:t
    unique_constraint_schema:t unique_constraint_name:t match_option:t update_rule:t delete_rule:t
  role_column_grants grantor:t grantee:t table_catalog:t table_schema:t table_name:t column_name:t privilege_type:t
    is_grantable:t
  role_routine_grants grantor:t grantee:t specific_catalog:t specific_schema:t specific_name:t routine_catalog:t
    routine_schema:t routine_name:t privilege_type:t is_grantable:t
  role_table_grants grantor:t grantee:t table_catalog:t table_schema:t table_name:t privilege_type:t is_grantable:t
    with_hierarchy:t
  role_udt_grants grantor:t grantee:t udt_catalog:t udt_schema:t udt_name:t privilege_type:t is_grantable:t
  role_usage_grants grantor:t grantee:t object_catalog:t object_schema:t object_name:t object_type:t privilege_type:t
    is_grantable:t
  routine_column_usage specific_catalog:t specific_schema:t specific_name:t routine_catalog:t routine_schema:t
    routine_name:t table_catalog:t table_schema:t table_name:t column_name:t
  routine_privileges grantor:t grantee:t specific_catalog:t specific_schema:t specific_name:t routine_catalog:t
    routine_schema:t routine_name:t privilege_type:t is_grantable:t
  routine_routine_usage specific_catalog:t specific_schema:t specific_name:t routine_catalog:t routine_schema:t
    routine_name:t
  routine_sequence_usage specific_catalog:t specific_schema:t specific_name:t routine_catalog:t routine_schema:t
    routine_name:t sequence_catalog:t sequence_schema:t sequence_name:t
  routine_table_usage specific_catalog:t specific_schema:t specific_name:t routine_catalog:t routine_schema:t
    routine_name:t table_catalog:t table_schema:t table_name:t
  routines specific_catalog:t specific_schema:t specific_name:t routine_catalog:t routine_schema:t routine_name:t
    routine_type:t module_catalog:t module_schema:t module_name:t udt_catalog:t udt_schema:t udt_name:t data_type:t
    character_maximum_length:i character_octet_length:i character_set_catalog:t character_set_schema:t
    character_set_name:t collation_catalog:t collation_schema:t collation_name:t numeric_precision:i
    numeric_precision_radix:i numeric_scale:i datetime_precision:i interval_type:t interval_precision:i
    type_udt_catalog:t type_udt_schema:t type_udt_name:t scope_catalog:t scope_schema:t scope_name:t
    maximum_cardinality:i dtd_identifier:t routine_body:t routine_definition:t external_name:t external_language:t
    parameter_style:t is_deterministic:t sql_data_access:t is_null_call:t sql_path:t schema_level_routine:t
    max_dynamic_result_sets:i is_user_defined_cast:t is_implicitly_invocable:t security_type:t
    to_sql_specific_catalog:t to_sql_specific_schema:t to_sql_specific_name:t as_locator:t created:z last_altered:z
    new_savepoint_level:t is_udt_dependent:t result_cast_from_data_type:t result_cast_as_locator:t
    result_cast_char_max_length:i result_cast_char_octet_length:i result_cast_char_set_catalog:t
    result_cast_char_set_schema:t result_cast_char_set_name:t result_cast_collation_catalog:t
    result_cast_collation_schema:t result_cast_collation_name:t result_cast_numeric_precision:i
    result_cast_numeric_precision_radix:i result_cast_numeric_scale:i result_cast_datetime_precision:i
    result_cast_interval_type:t result_cast_interval_precision:i result_cast_type_udt_catalog:t
    result_cast_type_udt_schema:t result_cast_type_udt_name:t result_cast_scope_catalog:t result_cast_scope_schema:t
    result_cast_scope_name:t result_cast_maximum_cardinality:i result_cast_dtd_identifier:t
  schemata catalog_name:t schema_name:t schema_owner:t default_character_set_catalog:t default_character_set_schema:t
    default_character_set_name:t sql_path:t
  sequences sequence_catalog:t sequence_schema:t sequence_name:t data_type:t numeric_precision:i
    numeric_precision_radix:i numeric_scale:i start_value:t minimum_value:t maximum_value:t increment:t cycle_option:t
  sql_features feature_id:t feature_name:t sub_feature_id:t sub_feature_name:t is_supported:t is_verified_by:t
    comments:t
  sql_implementation_info implementation_info_id:t implementation_info_name:t integer_value:i character_value:t
    comments:t
  sql_parts feature_id:t feature_name:t is_supported:t is_verified_by:t comments:t
  sql_sizing sizing_id:i sizing_name:t supported_value:i comments:t
  table_constraints constraint_catalog:t constraint_schema:t constraint_name:t table_catalog:t table_schema:t
    table_name:t constraint_type:t is_deferrable:t initially_deferred:t enforced:t nulls_distinct:t
  table_privileges grantor:t grantee:t table_catalog:t table_schema:t table_name:t privilege_type:t is_grantable:t
    with_hierarchy:t
  tables table_catalog:t table_schema:t table_name:t table_type:t self_referencing_column_name:t
    reference_generation:t user_defined_type_catalog:t user_defined_type_schema:t user_defined_type_name:t
    is_insertable_into:t is_typed:t commit_action:t
  transforms udt_catalog:t udt_schema:t udt_name:t specific_catalog:t specific_schema:t specific_name:t group_name:t
    transform_type:t
  triggered_update_columns trigger_catalog:t trigger_schema:t trigger_name:t event_object_catalog:t
    event_object_schema:t event_object_table:t event_object_column:t
  triggers trigger_catalog:t trigger_schema:t trigger_name:t event_manipulation:t event_object_catalog:t
    event_object_schema:t event_object_table:t action_order:i action_condition:t action_statement:t
    action_orientation:t action_timing:t action_reference_old_table:t action_reference_new_table:t
    action_reference_old_row:t action_reference_new_row:t created:z
  udt_privileges grantor:t grantee:t udt_catalog:t udt_schema:t udt_name:t privilege_type:t is_grantable:t
  usage_privileges grantor:t grantee:t object_catalog:t object_schema:t object_name:t object_type:t privilege_type:t
    is_grantable:t
  user_defined_types user_defined_type_catalog:t user_defined_type_schema:t user_defined_type_name:t
    user_defined_type_category:t is_instantiable:t is_final:t ordering_form:t ordering_category:t
    ordering_routine_catalog:t ordering_routine_schema:t ordering_routine_name:t reference_type:t data_type:t
    character_maximum_length:i character_octet_length:i character_set_catalog:t character_set_schema:t
    character_set_name:t collation_catalog:t collation_schema:t collation_name:t numeric_precision:i
    numeric_precision_radix:i numeric_scale:i datetime_precision:i interval_type:t interval_precision:i
    source_dtd_identifier:t ref_dtd_identifier:t
  user_mapping_options authorization_identifier:t foreign_server_catalog:t foreign_server_name:t option_name:t
    option_value:t
  user_mappings authorization_identifier:t foreign_server_catalog:t foreign_server_name:t
  view_column_usage view_catalog:t view_schema:t view_name:t table_catalog:t table_schema:t table_name:t
    column_name:t
  view_routine_usage table_catalog:t table_schema:t table_name:t specific_catalog:t specific_schema:t specific_name:t
  view_table_usage view_catalog:t view_schema:t view_name:t table_catalog:t table_schema:t table_name:t
  views table_catalog:t table_schema:t table_name:t view_definition:t check_option:t is_updatable:t
    is_insertable_into:t is_trigger_updatable:t is_trigger_deletable:t is_trigger_insertable_into:t
`
