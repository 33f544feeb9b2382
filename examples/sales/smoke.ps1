# The example from end to end: one order more in sales.csv, the pipeline again, and everything shows it.
#
#   ./smoke.ps1          runs it; the order stays, so that you can look at the dashboard
#   ./smoke.ps1 -Undo    takes the order out again and runs the pipeline
#
# BOATHOUSE names the command when it is not on the PATH: $env:BOATHOUSE = 'docker compose exec -T serve boathouse'
param([switch] $Undo)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$csv = Join-Path $PSScriptRoot 'sales.csv'
$order = 'ORD-9999'
$line = "$order,CUST-0001,2024-03-31,Laptop,1,1500.00,North"
$dir = if ($env:SMOKE_DIR) { $env:SMOKE_DIR } else { $PSScriptRoot }
[string[]] $command = if ($env:BOATHOUSE) { -split $env:BOATHOUSE } else { @('boathouse') }

function Invoke-Boathouse([string] $Verb, [string[]] $Rest = @()) {
    [string[]] $words = @($command | Select-Object -Skip 1) + @($Verb, '-C', $dir) + $Rest
    & $command[0] @words
    if ($LASTEXITCODE -ne 0) { throw "boathouse $Verb ended with $LASTEXITCODE" }
}

function Get-Answer([string] $Sql) {
    @(Invoke-Boathouse 'query' @('--format', 'csv', $Sql))[-1].Trim()
}

function Assert-Answer([string] $What, [string] $Sql, [string] $Expected) {
    $found = Get-Answer $Sql
    if ($found -ne $Expected) { throw "FAILED: $What is $found, expected $Expected" }
    Write-Host "ok: $What is $found"
}

function Set-Lines([string[]] $Lines) {
    # Line feeds and no byte order mark, as the file is committed.
    [IO.File]::WriteAllText($csv, (($Lines -join "`n") + "`n"), [Text.UTF8Encoding]::new($false))
}

# A run that was interrupted may have left the order behind: start from the file without it.
[string[]] $lines = @([IO.File]::ReadAllLines($csv) | Where-Object { $_ -ne '' -and -not $_.StartsWith("$order,") })
Set-Lines $lines
$rows = $lines.Count - 1

Write-Host "`n== Run the pipeline"
Invoke-Boathouse 'run'
Assert-Answer 'the number of rows in raw.sales' 'select count(*) from raw.sales' "$rows"
if ($Undo) { return }

Write-Host "`n== Doctor, before"
Invoke-Boathouse 'doctor'
$revenue = Get-Answer 'select sum(revenue) from marts.daily_revenue'

Write-Host "`n== One more order, and the pipeline again"
Set-Lines ($lines + $line)
Invoke-Boathouse 'run'
Assert-Answer 'the number of rows in raw.sales' 'select count(*) from raw.sales' "$($rows + 1)"
Assert-Answer 'the number of rows in staging.stg_sales' 'select count(*) from staging.stg_sales' "$($rows + 1)"
Assert-Answer 'the revenue of the new day' "select sum(revenue) from marts.daily_revenue where order_date = date '2024-03-31'" '1500.00'
Assert-Answer 'the total revenue' 'select sum(revenue) from marts.daily_revenue' (Get-Answer "select cast('$revenue' as decimal(38, 2)) + 1500.00")

Write-Host "`n== Doctor, after"
Invoke-Boathouse 'doctor'

Write-Host "`n== Done"
Write-Host "The dashboard now has $($rows + 1) orders, and 31 March. To take the order out again: ./smoke.ps1 -Undo"
