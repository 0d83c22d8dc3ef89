BeforeDiscovery {
    # Signals, and a program to open addresses that can be stood in for.
    $canInterrupt = -not $IsWindows
}

BeforeAll {
    . $PSScriptRoot/Common.ps1

    # A child that shows a dashboard, with its address once it is told.
    function Start-Dashboard([string] $Arguments = '-NoBrowser', [hashtable] $Environment = @{}, [string] $Before = '') {
        $told = "$(New-TestFolder)/told"
        # The host's own output of a child is read to its end alone: what is said is written to a file, too.
        $child = Start-Pwsh "param(`$Store, `$Told) $Before; Show-CheckpointDashboard -Store `$Store $Arguments 6>&1 | ForEach-Object { Add-Content -LiteralPath `$Told `$_ }" $store, $told -Environment $Environment
        $null = $child.Process.Handle
        Wait-Until { $child.Process.HasExited -or ((Test-Path $told) -and (Get-Content $told -Raw) -match 'token=\w+') }
        if ($child.Process.HasExited) {
            throw (Wait-Pwsh $child).ErrorOutput
        }
        $text = Get-Content $told -Raw
        $address = [uri] [regex]::Match($text, 'http://\S+').Value
        $children.Add($child)
        [pscustomobject]@{ Child = $child; Told = $told; Text = $text; Address = $address; Root = $address.GetLeftPart('Authority') + '/' }
    }

    # A request as a browser, or somebody else, would send it; redirects and cookies are not followed.
    function Send-Request([string] $Address, [string] $Method = 'GET', [hashtable] $Headers = @{}, [string] $Session) {
        $request = [Net.Http.HttpRequestMessage]::new($Method, $Address)
        foreach ($name in $Headers.Keys) {
            $null = $request.Headers.TryAddWithoutValidation($name, [string] $Headers[$name])
        }
        # Each on a connection of its own: behind an answer to a foreign host .NET's listener sends another, empty one, before it closes the connection.
        $request.Headers.ConnectionClose = $true
        if ($Session) {
            $request.Headers.Add('Cookie', $Session)
        }
        if ($Method -in 'POST', 'PUT') {
            $request.Content = [Net.Http.StringContent]::new('x')
        }
        $response = $http.Send($request)
        $own = @{}
        foreach ($pair in @($response.Headers) + @($response.Content.Headers)) { $own[$pair.Key] = $pair.Value -join ', ' }
        [pscustomobject]@{ Status = [int] $response.StatusCode; Headers = $own; Body = $response.Content.ReadAsStringAsync().GetAwaiter().GetResult() }
    }

    # Lets the token serve; the cookie that it is given for.
    function Enter-Dashboard([object] $Dashboard) {
        ((Send-Request $Dashboard.Address).Headers['Set-Cookie'] -split ';')[0]
    }

    # As Ctrl+C does.
    function Send-Interrupt([object] $Dashboard) {
        kill -INT $Dashboard.Child.Process.Id
    }

    $handler = [Net.Http.SocketsHttpHandler]::new()
    $handler.UseCookies = $handler.UseProxy = $handler.AllowAutoRedirect = $false
    $http = [Net.Http.HttpClient]::new($handler)
    $children = [Collections.Generic.List[object]]::new()
}

AfterAll {
    $http.Dispose()
    Set-CheckpointContext -Reset
}

Describe 'Show-CheckpointDashboard' {
    BeforeEach {
        $store = New-TestStore
        Set-CheckpointContext -Reset -Store $store
        Save-Checkpoint ingest 5 -Pipeline nightly
    }

    AfterEach {
        foreach ($child in $children) {
            if (-not $child.Process.HasExited) { $null = Stop-Pwsh $child }
        }
        $children.Clear()
    }

    It 'says where it is, and shows the report there to who has the address' {
        $dashboard = Start-Dashboard
        $dashboard.Text.Trim() -split '\r?\n' | Should -HaveCount 2
        $dashboard.Text | Should -BeLike "Dashboard of '$store'*serves once*Ctrl+C ends it*"
        $dashboard.Address | Should -Match '^http://127\.0\.0\.1:\d+/\?token=[0-9a-f]{64}$'
        $page = Send-Request $dashboard.Address
        $page.Status | Should -Be 200
        $data = [regex]::Match($page.Body, '(?s)<script type="application/json" id="data">(.*?)</script>').Groups[1].Value | ConvertFrom-Json
        $data.live | Should -BeTrue
        $data.runs[0].pipeline, $data.runs[0].stages[0].name | Should -Be 'nightly', 'ingest'
        # What was not there when it began is there when the page is loaded anew.
        $session = ($page.Headers['Set-Cookie'] -split ';')[0]
        Save-Checkpoint later 5 -Pipeline nightly
        (Send-Request $dashboard.Root -Session $session).Body | Should -BeLike '*"name":"later"*'
    }

    It 'shows the pipelines and runs that are meant alone' {
        Save-Checkpoint other 5 -Pipeline weekly
        $dashboard = Start-Dashboard '-NoBrowser -Pipeline week*'
        $body = (Send-Request $dashboard.Address).Body
        $body | Should -BeLike '*"weekly"*'
        $body | Should -Not -BeLike '*"nightly"*'
    }

    It 'tells a page what comes, without being asked again' {
        $dashboard = Start-Dashboard
        $session = Enter-Dashboard $dashboard
        $request = [Net.Http.HttpRequestMessage]::new('GET', "$($dashboard.Root)events?version=1")
        $request.Headers.Add('Cookie', $session)
        $response = $http.Send($request, 'ResponseHeadersRead')
        $response.Content.Headers.ContentType.MediaType | Should -Be 'text/event-stream'
        $reader = [IO.StreamReader]::new($response.Content.ReadAsStream())
        try {
            $reader.ReadLine() | Should -Be 'retry: 1000'
            Save-Checkpoint later 5 -Pipeline nightly
            do { $line = $reader.ReadLine() } until ($line -like 'data: *"later"*')
            ($line.Substring(6) | ConvertFrom-Json).runs[0].stages.name | Should -Contain 'later'
        }
        finally {
            $reader.Dispose()
        }
    }

    Context 'Who is let in' -Tag AnyStore {
        BeforeAll {
            $store = New-TestFolder
            Save-Checkpoint ingest 5 -Store $store
            $dashboard = Start-Dashboard
            $shared = $dashboard.Child
            $null = $children.Remove($shared)
            # None of these may use up the token.
            $refused = @{
                none = Send-Request $dashboard.Root
                wrong = Send-Request "$($dashboard.Root)?token=$('0' * 64)"
                short = Send-Request "$($dashboard.Root)?token="
                head = Send-Request $dashboard.Address -Method HEAD
                post = Send-Request $dashboard.Address -Method POST
                host = Send-Request $dashboard.Address -Headers @{ Host = 'attacker.example' }
                name = Send-Request $dashboard.Address -Headers @{ Host = "localhost:$($dashboard.Address.Port)" }
                origin = Send-Request $dashboard.Address -Headers @{ Origin = 'http://attacker.example' }
                null = Send-Request $dashboard.Address -Headers @{ Origin = 'null' }
                site = Send-Request $dashboard.Address -Headers @{ 'Sec-Fetch-Site' = 'cross-site' }
                same = Send-Request $dashboard.Address -Headers @{ 'Sec-Fetch-Site' = 'same-site' }
                elsewhere = Send-Request "$($dashboard.Root)events?token=$($dashboard.Address.Query.Substring(7))"
            }
            $first = Send-Request $dashboard.Address -Headers @{ 'Sec-Fetch-Site' = 'none' }
            $session = ($first.Headers['Set-Cookie'] -split ';')[0]
        }

        AfterAll { $null = Stop-Pwsh $shared }

        It 'is who has the token, once, whatever was refused before' {
            $first.Status | Should -Be 200
            $again = Send-Request $dashboard.Address
            $again.Status | Should -Be 403
            $again.Body | Should -BeLike '*it does so once*'
            $again.Headers['Set-Cookie'] | Should -BeNullOrEmpty
        }

        It 'is then who has the cookie, which scripts and other sites do not get' {
            $first.Headers['Set-Cookie'] | Should -Match '^checkpoint-\d+=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict$'
            (Send-Request $dashboard.Root -Session $session).Status | Should -Be 200
            (Send-Request $dashboard.Root -Session "$($session.Substring(0, $session.Length - 1))x").Status | Should -Be 403
        }

        It 'is nobody without a token, with a wrong one, or with the token at another place' {
            foreach ($name in 'none', 'wrong', 'short', 'elsewhere') {
                $refused[$name].Status | Should -Be 403 -Because $name
                $refused[$name].Body | Should -Not -BeLike '*ingest*'
                $refused[$name].Headers['Set-Cookie'] | Should -BeNullOrEmpty
            }
        }

        It 'is nobody who calls it by another name (DNS rebinding), with or without the cookie' {
            # The listener itself knows no other name than the address.
            $refused.host.Status, $refused.name.Status | Should -BeIn 403, 404
            (Send-Request $dashboard.Root -Session $session -Headers @{ Host = 'attacker.example' }).Status | Should -BeIn 403, 404
            $refused.host.Body, $refused.name.Body | Should -Not -BeLike '*ingest*'
        }

        It 'is no page of another site, with or without the cookie' {
            foreach ($name in 'origin', 'null', 'site', 'same') {
                $refused[$name].Status | Should -Be 403 -Because $name
            }
            (Send-Request $dashboard.Root -Session $session -Headers @{ Origin = 'http://attacker.example' }).Status | Should -Be 403
            (Send-Request "$($dashboard.Root)events" -Session $session -Headers @{ 'Sec-Fetch-Site' = 'cross-site' }).Status | Should -Be 403
        }

        It 'changes nothing: <_> is refused' -ForEach 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD' {
            $answer = Send-Request $dashboard.Root -Method $_ -Session $session
            $answer.Status | Should -Be 405
            $answer.Headers['Allow'] | Should -Be 'GET'
            $refused.head.Status, $refused.post.Status | Should -Be 405, 405
        }

        It 'finds nothing at another path: <_>' -ForEach 'nothing', 'favicon.ico', '%2e%2e/%2e%2e/etc/passwd', 'events/x', '%00' {
            (Send-Request "$($dashboard.Root)$_" -Session $session).Status | Should -BeIn 400, 404
            (Send-Request "$($dashboard.Root)$_").Status | Should -BeIn 400, 403
        }

        It 'forbids a browser to keep it, frame it, guess at it, or tell others its address; and the page to ask for anything else' {
            foreach ($answer in $first, $refused.none, (Send-Request "$($dashboard.Root)x" -Session $session)) {
                $answer.Headers['Cache-Control'] | Should -Be 'no-store'
                $answer.Headers['Referrer-Policy'] | Should -Be 'no-referrer'
                $answer.Headers['X-Content-Type-Options'] | Should -Be 'nosniff'
                $answer.Headers['X-Frame-Options'] | Should -Be 'DENY'
                $answer.Headers['Cross-Origin-Resource-Policy'] | Should -Be 'same-origin'
                $answer.Headers.Keys | Should -Not -Contain 'Access-Control-Allow-Origin'
            }
            $first.Headers['Content-Security-Policy'] | Should -Match "^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; img-src data:; connect-src 'self';.* frame-ancestors 'none'$"
        }

        It 'listens on this machine alone' {
            $listeners = [Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties().GetActiveTcpListeners() | Where-Object Port -EQ $dashboard.Address.Port
            "$($listeners.Address)" | Should -Be '127.0.0.1'
        }
    }

    Context '-Port' -Tag AnyStore {
        It 'is where it listens' {
            $probe = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
            $probe.Start()
            $port = $probe.LocalEndpoint.Port
            $probe.Stop()
            $dashboard = Start-Dashboard "-NoBrowser -Port $port"
            $dashboard.Address.Port | Should -Be $port
            Send-Request $dashboard.Address | ForEach-Object Status | Should -Be 200
        }

        It 'that is taken is an error that says so' {
            $other = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
            $other.Start()
            try {
                { Show-CheckpointDashboard -NoBrowser -Port $other.LocalEndpoint.Port } |
                    Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.ShowCheckpointDashboardCommand' -ExpectedMessage "Port $($other.LocalEndpoint.Port) cannot be listened on*-Port*"
            }
            finally {
                $other.Stop()
            }
        }

        It 'that cannot be one is an error: <_>' -ForEach -1, 65536 {
            { Show-CheckpointDashboard -NoBrowser -Port $_ } | Should -Throw -ErrorId 'ParameterArgumentValidationError,Checkpoint.Commands.ShowCheckpointDashboardCommand'
        }
    }

    It 'shows nothing where nothing is piped, and a warning says so' {
        Get-CheckpointRun -Pipeline none | Show-CheckpointDashboard -NoBrowser -InformationVariable told -WarningVariable warned -WarningAction SilentlyContinue
        "$warned" | Should -Be 'Nothing was piped, so there is nothing to report.'
        $told | Should -BeNullOrEmpty
    }

    It 'refuses objects of two stores' {
        $other = New-TestStore
        Save-Checkpoint x -Store $other
        { (Get-Checkpoint -Pipeline nightly), (Get-Checkpoint -Store $other) | Show-CheckpointDashboard -NoBrowser } |
            Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.ShowCheckpointDashboardCommand'
    }

    Context 'Its end' {
        It 'is Ctrl+C, also while a page listens, and its port is free then' -Skip:(-not $canInterrupt) {
            $dashboard = Start-Dashboard
            $session = Enter-Dashboard $dashboard
            $request = [Net.Http.HttpRequestMessage]::new('GET', "$($dashboard.Root)events")
            $request.Headers.Add('Cookie', $session)
            $response = $http.Send($request, 'ResponseHeadersRead')
            Send-Interrupt $dashboard
            # By far less than the sign of life that it sends every ten seconds, or the pause of a listener that is not ended.
            $dashboard.Child.Process.WaitForExit(8000) | Should -BeTrue
            $response.Dispose()
            $probe = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, $dashboard.Address.Port)
            $probe.Start()
            $probe.Stop()
        }

        It 'comes within a second where the pipeline is stopped' {
            $shell = [powershell]::Create().AddScript({ param($module, $store) Import-Module $module; Show-CheckpointDashboard -Store $store -NoBrowser }).AddParameters(@{ module = $ModulePath; store = $store })
            try {
                $running = $shell.BeginInvoke()
                Wait-Until { $shell.Streams.Information.Count -gt 0 }
                $running.IsCompleted | Should -BeFalse
                $clock = [Diagnostics.Stopwatch]::StartNew()
                $shell.Stop()
                # Half a second is for a machine that has much else to do.
                $clock.Elapsed.TotalSeconds | Should -BeLessThan 1.5
            }
            finally {
                $shell.Dispose()
            }
        }
    }

    Context 'The browser' -Tag AnyStore -Skip:(-not $IsLinux) {
        BeforeEach {
            $place = New-TestFolder
            Set-Content "$place/xdg-open" "#!/bin/sh`nprintf '%s' `"`$1`" >'$place/opened.tmp' && mv '$place/opened.tmp' '$place/opened'"
            chmod +x "$place/xdg-open"
            $path = "$place$([IO.Path]::PathSeparator)$env:PATH"
        }

        It 'is opened at the address' {
            $dashboard = Start-Dashboard '' @{ PATH = $path; DISPLAY = ':99' }
            Wait-Until { Test-Path "$place/opened" }
            Get-Content "$place/opened" | Should -Be "$($dashboard.Address)"
        }

        It 'is not opened <How>' -ForEach @(
            @{ How = 'with -NoBrowser'; Arguments = '-NoBrowser'; Display = ':99' }
            @{ How = 'where there is no desktop'; Arguments = ''; Display = $null }
        ) {
            $dashboard = Start-Dashboard $Arguments @{ PATH = $path; DISPLAY = $Display; WAYLAND_DISPLAY = $null }
            # What would be opened is so before the first answer.
            Send-Request $dashboard.Address | ForEach-Object Status | Should -Be 200
            Test-Path "$place/opened*" | Should -BeFalse
        }

        It 'that cannot be opened is a warning, and the dashboard goes on' {
            Remove-Item "$place/xdg-open"
            $null = New-Item -ItemType Directory "$place/empty"
            $dashboard = Start-Dashboard '3>&1' @{ DISPLAY = ':99' } -Before "`$env:PATH = '$place/empty'"
            Send-Request $dashboard.Address | ForEach-Object Status | Should -Be 200
            Get-Content $dashboard.Told -Raw | Should -BeLike '*No browser could be opened*'
        }
    }
}
