using Xunit.Sdk;

namespace Checkpoint.Tests;

/// <summary>A fact that holds for every driver; skipped in a class whose store is not to be had here, as its <see cref="StoreNeedAttribute"/> says.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Checkpoint.Tests.DriverFactDiscoverer", "Checkpoint.Core.Tests")]
public sealed class DriverFactAttribute : FactAttribute;
