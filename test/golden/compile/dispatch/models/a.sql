select {{ helpers.money('amount') }} as m, {{ helpers.area(3) }}
, {{ helpers.columns()[2].c }} as c, '{% call(y) helpers.wrap() %}{{ y }}!{% endcall %}' as w
, cast(x as {{ type_string() }}), cast(x as {{ dbt.type_string() }}), {{ dbt.concat(['a', 'b']) }}
from {{ ref('helpers', 'pkg_model') }}, {{ ref('pkg_model') }}
