# The BEAM's side of the bench: GenServer calls and casts, distribution between OS processes.
# Roles: MEASURE (local), MEASURE SERVER_NODE (remote), `server NAME`, `member NAME OTHER OTHER`.

defmodule Line do
  def say(json), do: IO.puts(:stdio, json)

  def each(answer) do
    case IO.gets("") do
      line when is_binary(line) ->
        [_, seconds] = Regex.run(~r/"seconds":([0-9.]+)/, line)
        say(answer.(elem(Float.parse(seconds), 0)))
        each(answer)

      _ ->
        System.halt(0)
    end
  end

  def halt_at_end do
    spawn(fn -> wait_for_end() end)
  end

  defp wait_for_end do
    case IO.gets("") do
      line when is_binary(line) -> wait_for_end()
      _ -> System.halt(0)
    end
  end
end

defmodule Counter do
  use GenServer
  def init(count), do: {:ok, count}
  def handle_call(:add, _from, count), do: {:reply, count + 1, count + 1}
  def handle_call(:count, _from, count), do: {:reply, count, count}
  def handle_call({:echo, text}, _from, count), do: {:reply, text, count}
  def handle_call(:cpu, _from, count), do: {:reply, Load.cpu_us(), count}
  def handle_cast({:note, text}, count) when byte_size(text) == 100, do: {:noreply, count + 1}
  def handle_cast(:add, count), do: {:noreply, count + 1}
end

defmodule Sink do
  use GenServer
  def init(_), do: {:ok, nil}
  def handle_call({:take, bytes}, _from, state), do: {:reply, byte_size(bytes), state}
end

defmodule Load do
  @burst 3_000

  # Processor time of all threads of this runtime, in µs.
  def cpu_us, do: elem(:erlang.statistics(:runtime), 0) * 1000

  def now_us, do: System.monotonic_time(:nanosecond) / 1000

  def rate(cpu, load) do
    cpu_before = cpu.()
    before = now_us()
    ops = load.()
    seconds = (now_us() - before) / 1_000_000
    answer(ops / seconds, ops, (cpu.() - cpu_before) / ops)
  end

  def answer(value, ops, cpu), do: ~s({"value":#{value},"ops":#{ops},"cpuUsPerOp":#{cpu}})

  # The same with what explains the value, by what it is.
  def answer(value, ops, cpu, besides) do
    told = Enum.map_join(besides, ",", fn {what, number} -> ~s("#{what}":#{number}) end)
    String.trim_trailing(answer(value, ops, cpu), "}") <> ~s(,"besides":{#{told}}})
  end

  def must_be_all(sent, sent), do: sent
  def must_be_all(sent, handled), do: raise("sent #{sent}, but #{handled} were handled")

  # As many callers as functions, each with one call at a time.
  def calls(callers, seconds, batch) do
    until = now_us() + seconds * 1_000_000

    callers
    |> Enum.map(fn call -> Task.async(fn -> call_loop(call, until, batch, 0) end) end)
    |> Task.await_many(:infinity)
    |> Enum.sum()
  end

  defp call_loop(call, until, batch, answered) do
    if now_us() < until do
      repeat(call, batch)
      call_loop(call, until, batch, answered + batch)
    else
      answered
    end
  end

  defp repeat(_call, 0), do: :ok

  defp repeat(call, left) do
    call.()
    repeat(call, left - 1)
  end

  # The answer to a burst's count is waited for after the next burst.
  def casts(server, message, seconds) do
    burst(server, message, now_us() + seconds * 1_000_000, nil, 0)
  end

  defp burst(server, message, until, previous, sent) do
    if now_us() < until do
      repeat(fn -> GenServer.cast(server, message) end, @burst)
      request = :gen_server.send_request(server, :count)
      wait(previous)
      burst(server, message, until, request, sent + @burst)
    else
      wait(previous)
      sent
    end
  end

  defp wait(nil), do: :ok
  defp wait(request), do: {:reply, _} = :gen_server.wait_response(request, :infinity)

  def times(call, until, before, times) do
    if before < until do
      call.()
      now = now_us()
      times(call, until, now, [now - before | times])
    else
      times
    end
  end

  def median(times), do: quantile(times, 0.5)

  def quantile(times, share) do
    sorted = times |> Enum.sort() |> List.to_tuple()
    elem(sorted, trunc(share * (tuple_size(sorted) - 1)))
  end
end

defmodule Local do
  def run(measure) do
    length = if measure == "call-100", do: 100, else: 1
    counters = for _ <- 1..length, do: elem(GenServer.start_link(Counter, 0), 1)
    handled = fn -> counters |> Enum.map(&GenServer.call(&1, :count)) |> Enum.sum() end

    load =
      if measure == "cast" do
        fn seconds -> Load.casts(hd(counters), :add, seconds) end
      else
        callers = for counter <- counters, do: fn -> GenServer.call(counter, :add) end
        fn seconds -> Load.calls(callers, seconds, 64) end
      end

    Line.each(fn seconds ->
      Load.rate(&Load.cpu_us/0, fn ->
        before = handled.()
        sent = load.(seconds)
        Load.must_be_all(sent, handled.() - before)
      end)
    end)
  end
end

# One life after the other: started under a name, stopped, and its end waited for.
defmodule Lives do
  @names_count 1_024

  def run do
    names = List.to_tuple(for index <- 0..(@names_count - 1), do: :"worker-#{index}")

    Line.each(fn seconds ->
      Load.rate(&Load.cpu_us/0, fn ->
        before = length(Process.list())
        lived = loop(names, Load.now_us() + seconds * 1_000_000, 0)
        Load.must_be_all(before, length(Process.list()))
        lived
      end)
    end)
  end

  defp loop(names, until, lived) do
    if Load.now_us() < until do
      batch(names, lived, lived + 64)
      loop(names, until, lived + 64)
    else
      lived
    end
  end

  defp batch(_names, same, same), do: :ok

  defp batch(names, index, stop) do
    {:ok, pid} = GenServer.start(Counter, 0, name: elem(names, rem(index, @names_count)))
    :ok = GenServer.stop(pid)
    batch(names, index + 1, stop)
  end
end

# A million processes that wait for their first message; they end with this runtime.
defmodule Idle do
  @count 1_000_000
  @called_count 100_000
  @sample_count 1_000

  def run, do: Line.each(fn _seconds -> measure() end)

  defp measure do
    others = Process.list()
    {total_before, rss_before} = used()
    start(@count, fn _pid -> :ok end)
    {total, rss} = used()
    crowd = Process.list() -- others
    Load.must_be_all(@count, length(crowd))
    for pid <- Enum.take_random(crowd, @sample_count), do: call(pid)
    called = called_bytes()

    Load.answer((total - total_before) / @count, @count, "null", [
      {"processes", @count},
      {"rss bytes", (rss - rss_before) / @count},
      {"bytes once called", called}
    ])
  end

  # Bytes of a process that has handled a call and waits for the next.
  defp called_bytes do
    {before, _} = used()
    start(@called_count, &call/1)
    {total, _} = used()
    (total - before) / @called_count
  end

  defp start(0, _each), do: :ok

  defp start(left, each) do
    {:ok, pid} = GenServer.start(Counter, 0)
    each.(pid)
    start(left - 1, each)
  end

  defp call(pid), do: 1 = GenServer.call(pid, :add)

  defp used do
    :erlang.garbage_collect()
    [_, kib] = Regex.run(~r/VmRSS:\s+(\d+)/, File.read!("/proc/self/status"))
    {:erlang.memory(:total), String.to_integer(kib) * 1024}
  end
end

defmodule Fragile do
  use GenServer
  def start_link(bench), do: GenServer.start_link(Fragile, bench, name: :fragile)

  # Its name is registered before init is called.
  def init(bench) do
    send(bench, {:up, self(), Load.now_us()})
    {:ok, bench}
  end

  def handle_cast(:crash, bench) do
    send(bench, {:crash, Load.now_us()})
    raise "a crash"
  end
end

# From a crash to the next life under the same name.
defmodule Restarts do
  # A supervisor counts those of the last second, which takes the longer the more there were.
  @restarts_of_one 50

  def run do
    # What the crashes print would be measured, too.
    :ok = :logger.set_primary_config(:level, :none)
    Line.each(&timed/1)
  end

  defp timed(seconds) do
    cpu_before = Load.cpu_us()
    times = several([], Load.now_us() + seconds * 1_000_000)
    ops = length(times)
    besides = [{"p99 µs", Load.quantile(times, 0.99)}]
    Load.answer(Load.median(times), ops, (Load.cpu_us() - cpu_before) / ops, besides)
  end

  defp several(times, until) do
    if Load.now_us() < until do
      limit = [strategy: :one_for_one, max_restarts: 1_000_000, max_seconds: 1]
      {:ok, supervisor} = Supervisor.start_link([{Fragile, self()}], limit)
      first = up()
      {times, _} = Enum.reduce(1..@restarts_of_one, {times, first}, &restart/2)
      :ok = Supervisor.stop(supervisor)
      several(times, until)
    else
      times
    end
  end

  defp restart(_index, {times, {pid, _}}) do
    GenServer.cast(:fragile, :crash)
    crashed_at = receive do: ({:crash, at} -> at)
    {next, up_at} = up()
    true = next != pid and Process.whereis(:fragile) == next
    {[up_at - crashed_at | times], {next, up_at}}
  end

  defp up, do: receive(do: ({:up, pid, at} -> {pid, at}))
end

defmodule Remote do
  @text String.duplicate("x", 100)
  @bulk_bytes 1_048_576
  @bulk_callers 4

  def run(measure, node) do
    echo = {:echo, node}
    call = fn -> GenServer.call(echo, {:echo, @text}) end
    @text = call.()
    cpu = fn -> Load.cpu_us() + GenServer.call(echo, :cpu) end
    Line.each(fn seconds -> round(measure, seconds, {echo, call, cpu}) end)
  end

  defp round("remote-call-1", seconds, {_echo, call, cpu}) do
    cpu_before = cpu.()
    now = Load.now_us()
    times = Load.times(call, now + seconds * 1_000_000, now, [])
    ops = length(times)
    Load.answer(Load.median(times), ops, (cpu.() - cpu_before) / ops)
  end

  defp round("remote-call-64", seconds, {_echo, call, cpu}) do
    Load.rate(cpu, fn -> Load.calls(List.duplicate(call, 64), seconds, 8) end)
  end

  # Small calls, timed while a stream of large messages runs.
  defp round("control-p99-under-bulk", seconds, {{:echo, node}, call, _cpu}) do
    bytes = :binary.copy(<<0>>, @bulk_bytes)
    take = fn -> GenServer.call({:sink, node}, {:take, bytes}, :infinity) end
    callers = List.duplicate(take, @bulk_callers)
    stream = Task.async(fn -> Load.calls(callers, seconds, 1) end)
    now = Load.now_us()
    times = Load.times(call, now + seconds * 1_000_000, now, [])
    p99 = Load.quantile(times, 0.99) / 1_000
    rate = Task.await(stream, :infinity) / seconds
    besides = [{"p50 ms", Load.median(times) / 1_000}, {"MiB/s", rate}]
    Load.answer(p99, length(times), "null", besides)
  end

  defp round("remote-oneway-100b", seconds, {echo, _call, cpu}) do
    Load.rate(cpu, fn ->
      before = GenServer.call(echo, :count)
      sent = Load.casts(echo, {:note, @text}, seconds)
      Load.must_be_all(sent, GenServer.call(echo, :count) - before)
    end)
  end
end

defmodule Member do
  # µs of the machine's monotonic clock, which other programs read alike.
  defp now_us, do: :os.perf_counter(:microsecond)

  def run(name, others) do
    Line.say(~s({"loaded":true}))
    IO.gets("")
    Line.say(~s({"startedAtUs":#{now_us()}}))
    {:ok, _} = :net_kernel.start([name, :shortnames])
    :net_kernel.monitor_nodes(true)
    Line.halt_at_end()
    watch(others, false)
  end

  # The BEAM has no discovery: until it has found all, a member tries the names it was given.
  defp watch(others, formed) do
    unless formed, do: Enum.each(others -- Node.list(), &Node.connect/1)

    receive do
      {change, _node} when change in [:nodeup, :nodedown] ->
        members = length(Node.list()) + 1
        Line.say(~s({"members":#{members},"atUs":#{now_us()}}))
        watch(others, formed or members == length(others) + 1)
    after
      if(formed, do: :infinity, else: 10) -> watch(others, formed)
    end
  end
end

defmodule Main do
  def run(["server", name]) do
    {:ok, _} = :net_kernel.start([String.to_atom(name), :shortnames])
    {:ok, _} = GenServer.start_link(Sink, nil, name: :sink)
    {:ok, _} = GenServer.start_link(Counter, 0, name: :echo)
    Line.halt_at_end()
    Line.say(~s({"ready":true}))
    Process.sleep(:infinity)
  end

  def run(["member", name | others]) do
    Member.run(String.to_atom(name), Enum.map(others, &String.to_atom/1))
  end

  def run([measure, name, server]) do
    {:ok, _} = :net_kernel.start([String.to_atom(name), :shortnames])
    true = Node.connect(String.to_atom(server))
    Line.say(~s({"ready":true}))
    Remote.run(measure, String.to_atom(server))
  end

  def run([measure]) do
    Line.say(~s({"ready":true}))

    case String.replace_prefix(measure, "local-", "") do
      "spawn-stop" -> Lives.run()
      "idle-bytes" -> Idle.run()
      "restart-us" -> Restarts.run()
      local -> Local.run(local)
    end
  end
end

Main.run(System.argv())
