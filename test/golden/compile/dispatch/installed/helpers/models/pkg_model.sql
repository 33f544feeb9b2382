select '{{ var("unit") }}' as unit, '{{ var("other") }}' as other, {{ helpers.money('x') }} as m
