select id, code || '!' as code, amount, at_, typeof(code) as code_type, typeof(size) as size_type from {{ ref('kinds_seed') }}
