select
  '{{ var("start") }} {{ var("start").year }} {{ var("start").strftime("%d.%m.") }} {{ var("start") is string }}' as a_date,
  '{{ var("moment") }} {{ (var("moment") - modules.datetime.timedelta(days=1)).isoformat() }}' as a_moment,
  '{{ var("zoned") }} {{ var("zoned").isoformat() }} {{ var("text") is string }}' as a_zone,
  $${{ var("names") }}$$ as names,
  $${% for key, value in var("names").items() %}{{ key }}={{ value }}{% if key is integer %} (whole){% endif %}, {% endfor %}$$ as items,
  '{{ var("names")[3] }} {{ var("names").get(1) }} {{ 3 in var("names") }} {{ "3" in var("names") }}' as looked_up,
  $${{ var("rows") }} {{ var("own") }} {{ toyaml(var("own")) }} {{ tojson(var("own")) }}$$ as lists
